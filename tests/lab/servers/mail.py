"""An SMTP server that keeps every mail as a file: `mail.py PORT FOLDER`."""

import asyncio
import sys
import time
from pathlib import Path

from aiosmtpd.controller import Controller


class Keep:
    """Takes whatever comes."""

    def __init__(self, folder):
        self.folder = folder

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        """A mail, with whom it was sent to in front."""
        head = f"X-Envelope-From: {envelope.mail_from}\r\nX-Envelope-To: {', '.join(envelope.rcpt_tos)}\r\n"
        (self.folder / f"{time.time_ns()}.eml").write_bytes(head.encode() + envelope.content)
        return "250 kept"


def main(port, folder):
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    Controller(Keep(folder), hostname="127.0.0.1", port=int(port)).start()
    asyncio.new_event_loop().run_forever()


main(*sys.argv[1:])
