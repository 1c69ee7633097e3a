"""A certificate authority of the check's own, made by openssl."""

import pathlib
import socket
import ssl
import subprocess

from .check import Check


class Authority:
    def __init__(self, check: Check, name: str = "authority"):
        self.folder = check.folder / name
        self.folder.mkdir()
        self.certificate = self.folder / "ca.crt"
        self._key = self.folder / "ca.key"
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "400",
                      "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.certificate)

    def issue(self, name: str, alternatives: str = "DNS:localhost,IP:127.0.0.1,IP:::1",
              days: int = 1) -> tuple[pathlib.Path, pathlib.Path]:
        """The certificate's and the key's paths; issued again under the same name, both files are replaced."""
        certificate, key, request = (self.folder / f"{name}.{end}" for end in ("crt", "key", "csr"))
        extension = self.folder / f"{name}.ext"
        extension.write_text(f"subjectAltName={alternatives}\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
                      "-keyout", key, "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial",
                      "-days", days, "-extfile", extension, "-out", certificate)
        return certificate, key

    def client_context(self, client: tuple[pathlib.Path, pathlib.Path] | None = None) -> ssl.SSLContext:
        """A client that trusts this authority alone, with a certificate of its own where given."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        if client:
            context.load_cert_chain(*map(str, client))
        return context

    def _openssl(self, *words) -> None:
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=20)


def serial(port: int, context: ssl.SSLContext) -> str:
    """The serial number of the certificate that a server on 127.0.0.1 shows."""
    with socket.create_connection(("127.0.0.1", port), 5) as plain, \
            context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
        return connection.getpeercert()["serialNumber"]
