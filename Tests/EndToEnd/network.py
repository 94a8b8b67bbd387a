"""Two network namespaces joined by a cable or by an emulated link (linkem.c), and running things inside them."""

import contextlib
import ctypes
import itertools
import os
import pathlib
import re
import socket
import subprocess
import threading

HERE = pathlib.Path(__file__).parent
CLONE_NEWNET = 0x40000000
# capabilities(7), linux/capability.h
CAP_NET_ADMIN, CAP_SYS_ADMIN = 12, 21
libc = ctypes.CDLL(None, use_errno=True)
ports_handed_out = itertools.count(os.getpid() * 256)


def capabilities(process="self"):
    """The effective capabilities of a process, as the kernel's bits."""
    status = pathlib.Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE).group(1), 16)


def is_privileged():
    """Whether this process may make namespaces and devices: in a container, not even root may everywhere."""
    wanted = 1 << CAP_NET_ADMIN | 1 << CAP_SYS_ADMIN
    return os.geteuid() == 0 and capabilities() & wanted == wanted


def unavailable(kind):
    """Why this kind of namespaces cannot be made here, or None."""
    if not is_privileged():
        return "needs root: network namespaces and their devices"
    if kind is Link and not os.path.exists("/dev/net/tun"):
        return "needs /dev/net/tun"
    return None


@contextlib.contextmanager
def inside(namespace):
    """Sockets and processes made by this thread in the `with` block belong to the namespace (None: stay where we are).

    Never await in the block: other tasks of the loop would run inside, too.
    """
    if namespace is None:
        yield
        return
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if libc.setns(there, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
        try:
            yield
        finally:
            if libc.setns(home, CLONE_NEWNET) != 0:
                os._exit(70)  # Going on in the wrong namespace would make every later result meaningless.
    finally:
        os.close(home)
        os.close(there)


def free_ports(count=1, namespace=None):
    """The first of `count` consecutive ports that nobody has, neither of UDP nor of TCP.

    They lie below those that the kernel gives to sockets that ask for none in particular, and are handed out once:
    until the server starts, nobody else comes by them.
    """
    # Browsers refuse to visit port 10080.
    begin, end = 11_000, int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    size = end - begin - count
    assert size > 1000, f"the kernel's own ports begin at {end}"
    for _ in range(size // count):
        base = begin + [next(ports_handed_out) for _ in range(count)][0] % size
        with inside(namespace), contextlib.ExitStack() as held:
            try:
                for port in range(base, base + count):
                    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                        held.enter_context(socket.socket(socket.AF_INET, kind)).bind(("0.0.0.0", port))
                return base
            except OSError:
                continue
    raise AssertionError("no free ports")


class Namespaces:
    """Namespaces `client` (10.99.0.1) and `server` (10.99.0.2); how they are joined is the subclass's. Browsers get a
    default route: Firefox gathers no candidates without one."""

    client_address = "10.99.0.1"
    server_address = "10.99.0.2"

    def __init__(self, folder):
        self.client = f"rh{os.getpid()}cl"
        self.server = f"rh{os.getpid()}sv"
        self.folder = pathlib.Path(folder)

    def __enter__(self):
        try:
            for name in (self.client, self.server):
                subprocess.run(["ip", "netns", "add", name], check=True)
                # An IPv6 address of its own takes its device a second or two, and Chromium drops what it is loading
                # when one comes (ERR_NETWORK_CHANGED).
                with inside(name):
                    pathlib.Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")
            self._join()
            subprocess.run(["ip", "-n", self.client, "route", "add", "default", "via", self.server_address], check=True)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        for name in (self.client, self.server):
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)


class Ethernet(Namespaces):
    """Joined by a cable (a veth pair) with Ethernet's MTU: what loopback, with its 65,536 bytes, never refuses."""

    mtu = 1500

    @staticmethod
    def ip(namespace, *words):
        subprocess.run(["ip", "-n", namespace, *words], check=True)

    def _join(self):
        ip, mtu = self.ip, ("mtu", str(self.mtu))
        ip(self.client, "link", "add", "eth0", *mtu, "type", "veth", "peer", "name", "eth0", *mtu, "netns", self.server)
        for namespace, address in ((self.client, self.client_address), (self.server, self.server_address)):
            ip(namespace, "address", "add", f"{address}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                ip(namespace, "link", "set", device, "up")


class Link(Namespaces):
    """Joined by an emulated link."""

    def __init__(self, folder):
        super().__init__(folder)
        self.process = None
        self.lines = []

    def _join(self):
        program = self.folder / "linkem"
        subprocess.run(["gcc", "-O2", "-o", program, HERE / "linkem.c"], check=True)
        self.process = subprocess.Popen(
            [program, f"nsa={self.client}", f"nsb={self.server}", "eof=1"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        first = self.process.stdout.readline()
        if first.strip() != "up":
            raise RuntimeError(f"the link did not come up: {first!r}")
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self):
        for line in self.process.stdout:
            self.lines.append(line.strip())

    def set(self, **settings):
        """Changes the link while it runs, e.g. set(both_loss=2, both_delay=50): percent and milliseconds."""
        words = " ".join(f"{key.replace('_', '.', 1)}={value}" for key, value in settings.items())
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()

    def __exit__(self, *details):
        if self.process:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        super().__exit__(*details)


class Relay:
    """Listens on 127.0.0.1 in one namespace and carries each connection to an address of another, so that a browser
    sees a page of localhost (a secure context) while the server is at the far end of a link."""

    def __init__(self, namespace, target):
        self.namespace, self.target = namespace, target
        self.closed = False
        with inside(namespace):
            self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while not self.closed:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near):
        try:
            with inside(self.namespace):
                far = socket.create_connection(self.target, timeout=10)
            far.settimeout(None)
        except OSError:
            near.close()
            return
        pair = {near, far}
        self.open |= pair
        back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
        back.start()
        self._pump(near, far)
        back.join()
        self.open -= pair
        near.close()
        far.close()

    @staticmethod
    def _pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for side, how in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
            with contextlib.suppress(OSError):
                side.shutdown(how)

    def close(self):
        self.closed = True
        for one in [self.listener, *self.open]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
