# The server and its commands. Built in one image, run in another one that has neither pip nor a compiler's cache.
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv --without-pip /opt/gqlstock
COPY pyproject.toml requirements-dev.txt README.md LICENSE ./
COPY src src
# The versions that the tests ran with.
RUN pip --python /opt/gqlstock/bin/python install --no-cache-dir --constraint requirements-dev.txt ".[postgres,redis,otel]"

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data --create-home gqlstock
COPY --from=build /opt/gqlstock /opt/gqlstock
ENV PATH=/opt/gqlstock/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GQLSTOCK_DATABASE_URL=sqlite:////data/gqlstock.db \
    GQLSTOCK_LOG_FORMAT=json
USER gqlstock
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
ENTRYPOINT ["gqlstock"]
CMD ["serve", "--host", "0.0.0.0"]
