"""Two workers for two cores; threads, because only those keep connections open."""

import multiprocessing
import subprocess
import sys

workers = 2
worker_class = "gthread"
threads = 16
keepalive = 75
loglevel = "critical"


def on_starting(server):
    subprocess.run([sys.executable, "-c", "import django_server; django_server.prepare()"], check=True)


ready = multiprocessing.Value("i", 0)


def post_worker_init(worker):
    with ready.get_lock():
        ready.value += 1
        if ready.value == workers:
            print("Request /token/ bench:a-secret-of-this-bench grant_type=client_credentials", flush=True)
            print(f"Ready at http://{worker.cfg.address[0][0]}:{worker.cfg.address[0][1]}", flush=True)
