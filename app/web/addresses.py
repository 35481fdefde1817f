"""The addresses in templates. A page has a dozen that are always the same, so each of them is built once."""

from flask import Flask, request, url_for


def init_app(app: Flask) -> None:
    built: dict[tuple[str, str], str] = {}

    def address_of(endpoint: str, **values: str | int) -> str:
        if values or endpoint.startswith("."):
            return url_for(endpoint, **values)  # type: ignore[arg-type]
        key = request.root_path, endpoint
        if key not in built:
            built[key] = url_for(endpoint)
        return built[key]

    app.jinja_env.globals["url_for"] = address_of
