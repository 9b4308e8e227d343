"""Validates e-mail addresses."""

from email_validator import EmailNotValidError, validate_email

from gqlstock.rules import catalog, refusals
from gqlstock.rules.refusals import invalid


def email(value: str, *path: str) -> str:
    """The normalized address. Raises ``Refused`` for an invalid one."""
    try:
        return validate_email(catalog.text(value, "email", *path), check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise invalid(f"{refusals.shown(value)} is not a valid e-mail address: {error}", *path) from None
