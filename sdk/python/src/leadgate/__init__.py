"""For tests of partner applications against Leadgate: a client, a starter, and pytest fixtures."""

from . import models
from ._client import Demonstration, LeadgateError, Namespace, World
from ._server import Leadgate, start

__all__ = ["Demonstration", "Leadgate", "LeadgateError", "Namespace", "World", "models", "start"]
