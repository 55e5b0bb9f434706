"""The lab's own authority and what it signs. Nothing of it is trusted outside."""

import secrets
from datetime import datetime, timedelta, timezone

from .places import STATE
from .processes import run

FOLDER = STATE / "certificates"


def path(name, kind="crt"):
    """A certificate, or with `key` its key."""
    return FOLDER / f"{name}.{kind}"


def authority(name="ca"):
    """Makes an authority."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
         "-subj", f"/CN=runbook lab {name}", "-keyout", path(name, "key"), "-out", path(name)])


def certificate(name, subject, names=(), client=False, expired=False, ca="ca"):
    """Makes a certificate: a server's for some names, or a client's for a subject."""
    extensions = FOLDER / f"{name}.ext"
    lines = ["basicConstraints=critical,CA:FALSE", f"extendedKeyUsage={'clientAuth' if client else 'serverAuth,clientAuth'}"]
    if names:
        lines.append("subjectAltName=" + ",".join(
            f"IP:{each}" if each.replace(".", "").isdigit() else f"DNS:{each}" for each in names))
    extensions.write_text("\n".join(lines) + "\n")
    run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", subject,
         "-keyout", path(name, "key"), "-out", FOLDER / f"{name}.csr"])
    # A number of its own, not the next one of a file: parts come up side by side.
    sign = ["openssl", "x509", "-req", "-in", FOLDER / f"{name}.csr", "-CA", path(ca), "-CAkey", path(ca, "key"),
            "-set_serial", secrets.randbits(63), "-extfile", extensions, "-out", path(name)]
    if expired:
        _expired(name, extensions, ca)
    else:
        run([*sign, "-days", "30"])


def _expired(name, extensions, ca):
    """A certificate that was good for a day, a month ago. Only `openssl ca` takes dates in the past."""
    ago = datetime.now(timezone.utc) - timedelta(days=31)
    base = FOLDER / f"{name}-db"
    base.mkdir(exist_ok=True)
    (base / "index.txt").write_text("")
    (base / "serial").write_text("01\n")
    (base / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=lab\n[lab]\ndatabase={base}/index.txt\nserial={base}/serial\nnew_certs_dir={base}\n"
        "default_md=sha256\npolicy=any\nunique_subject=no\n[any]\ncommonName=supplied\norganizationName=optional\n")
    dates = [(ago + timedelta(days=days)).strftime("%y%m%d%H%M%SZ") for days in (0, 1)]
    run(["openssl", "ca", "-batch", "-config", base / "ca.cnf", "-cert", path(ca), "-keyfile", path(ca, "key"),
         "-in", FOLDER / f"{name}.csr", "-startdate", dates[0], "-enddate", dates[1], "-extfile", extensions,
         "-notext", "-out", path(name)])
