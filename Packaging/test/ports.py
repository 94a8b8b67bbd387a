import socket


def free(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def options():
    """What a server of a test is started with, and the port that it answers at."""
    port = free()
    return port, ["--host", "127.0.0.1", "--port", str(port), "--media-listen", "127.0.0.1", "--media-port", "0",
                  "--shards", "2"]
