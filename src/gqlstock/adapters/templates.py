"""Renders templates. HTML is escaped, and a missing value is an error rather than a gap."""

from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined


class Templates:
    """The templates in the folder ``templates`` of a package."""

    def __init__(self, package: str) -> None:
        self._environment = Environment(
            loader=PackageLoader(package),
            autoescape=lambda name: name is not None and name.endswith(".html"),
            undefined=StrictUndefined,
            keep_trailing_newline=True,
        )

    def text(self, name: str, values: Mapping[str, object]) -> str:
        return self._environment.get_template(name).render(values)
