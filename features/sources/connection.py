"""Connections that go only where they may, end when time is up, and count what really came in."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

import httpcore
import httpx

from features.errors import AskError
from features.logins import shown_address

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
# What clouds answer at beside 169.254.169.254, which is link-local.
_METADATA: Final = frozenset({ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("192.0.0.192")})
_HEAD_END: Final = b"\r\n\r\n"
_INTERIM: Final = b"HTTP/1.1 1"
_HEAD_KEPT: Final = 128 * 1024
LINGER: Final = 0.5
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
SocketOptions = Iterable[Any]


class CountedStream(httpcore.NetworkStream):
    """A stream that stops at ``deadline`` (monotonic seconds) and knows how many bytes it has handed on."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline
        self._head = b""
        self.received = 0
        self.lingers = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """The next bytes; a ReadTimeout when none come in ``timeout`` seconds or the deadline has passed."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time allowed is over")
        got = self._inner.read(max_bytes, left if timeout is None else min(timeout, left))
        self.received += len(got)
        if len(self._head) < _HEAD_KEPT:
            self._head += got
        return got

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send ``buffer``."""
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        """Close the connection; with ``lingers`` set, wait first for a byte that should not come."""
        if self.lingers:
            with suppress(httpcore.NetworkError, httpcore.TimeoutException, OSError):
                self.received += len(self._inner.read(1, LINGER))
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection under TLS, counted from its first plain byte."""
        return CountedStream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """What the connection knows of itself."""
        return self._inner.get_extra_info(info)

    def surplus(self, length: int) -> bool:
        """True where more came than a head and a body of ``length`` bytes: the length told was untrue."""
        begin = 0
        while (end := self._head.find(_HEAD_END, begin)) >= 0:
            body = end + len(_HEAD_END)
            if not self._head.startswith(_INTERIM, begin):
                return self.received > body + length
            begin = body
        return False


class GuardedBackend(httpcore.NetworkBackend):
    """Opens connections to public addresses only, unless local ones are allowed (docs/adr/0025).

    Where clouds tell a machine its own secrets (link-local addresses and a few others) nobody is led, not
    even where local addresses are allowed.

    The address is checked and then connected to, so a name cannot change its meaning in between.
    """

    def __init__(self, *, deadline: float, allow_local: bool) -> None:
        self._inner = httpcore.SyncBackend()
        self._deadline = deadline
        self._allow_local = allow_local

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of ``host`` that answers.

        Raises:
            AskError: the name leads to a private address.
        """
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._addresses(host, port):
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise httpcore.ConnectTimeout("the time allowed is over")
            wait = left if timeout is None else min(timeout, left)
            try:
                stream = self._inner.connect_tcp(address, port, wait, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as fault:
                failure = fault
                continue
            return CountedStream(stream, self._deadline)
        raise failure

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            told = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as fault:
            raise httpcore.ConnectError(f"{host}: {fault}") from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in told))
        private = [a for a in addresses if not public(a) and not (self._allow_local and private_use(a))]
        if private:
            raise AskError(
                "address-not-public",
                found=f"{host} at {private[0]}",
                expected="an address of this machine or its network"
                if self._allow_local
                else "a public address",
                remedy="fetch the file yourself and give it with --file"
                + ("" if self._allow_local else ", or add --allow-local"),
            )
        return addresses


def public(address: str) -> bool:
    """True for an address of the public internet; one wrapped in IPv6 is judged by what it wraps."""
    try:
        ip: Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    wrapped = _wrapped(ip) if isinstance(ip, ipaddress.IPv6Address) else None
    if wrapped is not None:
        return public(str(wrapped))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def private_use(address: str) -> bool:
    """True for loopback and private networks; false where a cloud tells a machine its own secrets."""
    ip: Address = ipaddress.ip_address(address.partition("%")[0])
    wrapped = _wrapped(ip) if isinstance(ip, ipaddress.IPv6Address) else None
    if wrapped is not None:
        return private_use(str(wrapped))
    told = ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved
    return (ip.is_private and not told and ip not in _METADATA) or ip.is_loopback


def _wrapped(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


class GuardedTransport(httpx.HTTPTransport):
    """httpx over a guarded backend: one connection a request, and no proxy of the environment."""

    def __init__(self, *, deadline: float, allow_local: bool) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_keepalive_connections=0,
            network_backend=GuardedBackend(deadline=deadline, allow_local=allow_local),
        )


def lawful(url: str) -> None:
    """Refuse what is no plain http or https address.

    Raises:
        AskError: another scheme, no host, or credentials in the address.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        raise AskError(
            "address-not-fetchable",
            found=repr(shown_address(url)),
            expected="an http or https address without a user or password in it",
            remedy="correct the address, or fetch the file yourself and give it with --file",
        )
