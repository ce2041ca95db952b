//! What a partner has. The test with a container is in `tests/`.
