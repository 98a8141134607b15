"""One e-mail to the mail server."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

from snowgauge.mail.settings import MailSettings


class MailRefused(Exception):
    """The server will never take this message. The text is for people."""


def send(settings: MailSettings, message: EmailMessage, *, tls: ssl.SSLContext | None = None) -> str:
    """Hand a message over; answers what the server said last. Raises ``OSError`` where trying again may help,
    ``MailRefused`` where it does not. ``tls``: a context of one's own, for a server with a certificate of one's own."""
    if not settings.host:
        raise MailRefused("no mail server is set: set mail.host and mail.sender")
    seconds = settings.timeout.total_seconds()
    context = tls or ssl.create_default_context()
    try:
        if settings.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(settings.host, settings.port, timeout=seconds, context=context)
        else:
            server = smtplib.SMTP(settings.host, settings.port, timeout=seconds)
        with server:
            if settings.security == "starttls":
                server.starttls(context=context)
            if settings.user:
                server.login(settings.user, settings.password.get_secret_value())
            refused = server.send_message(message)
    except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError) as error:
        raise MailRefused(f"{settings.host}: {_said(error)}") from None
    except smtplib.SMTPRecipientsRefused as error:
        told = "; ".join(f"{to}: {_text(code, text)}" for to, (code, text) in error.recipients.items())
        if all(code >= 500 for code, _ in error.recipients.values()):
            raise MailRefused(f"{settings.host}: {told}") from None
        raise OSError(f"{settings.host}: {told}") from None
    except smtplib.SMTPResponseException as error:
        if error.smtp_code >= 500:
            raise MailRefused(f"{settings.host}: {_said(error)}") from None
        raise OSError(f"{settings.host}: {_said(error)}") from None
    except smtplib.SMTPException as error:
        raise OSError(f"{settings.host}: {error}") from None
    if refused:
        return "taken, but not for " + ", ".join(sorted(refused))
    return "taken by the mail server"


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _text(error.smtp_code, error.smtp_error)
    return str(error)


def _text(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"[:300]
