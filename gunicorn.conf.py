"""How the web server runs; gunicorn reads this by itself where it is started."""
import gc

worker_class, threads = "gthread", 8
loglevel = "warning"
control_socket_disable = True


def post_worker_init(_):
    """What is loaded stays: to look through it for garbage, now and then, would hold up whoever asks by 150 ms."""
    gc.collect()
    gc.freeze()
