# Built by hand, not by the project's own checks: tell us when it does not build for you. How to use it:
# docs/operating.md.
FROM python:3.11-slim-bookworm AS environment
WORKDIR /build
COPY requirements.lock .
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: -r requirements.lock

FROM python:3.11-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    FINOPS_HOST=0.0.0.0 PORT=3000 FINOPS_PLAINTEXT_HOSTS=0.0.0.0 DATABASE_URL=sqlite:////data/finops.sqlite3
WORKDIR /app
COPY --from=environment /venv /venv
COPY app.py ./
COPY finops finops
COPY providers providers
COPY storage storage
COPY bot bot
COPY blocks blocks
COPY handlers handlers
COPY jobs jobs
COPY locales locales
COPY manifest.yml ./
# COPY keeps the modes of the checkout: of one made under `umask 077`, the bot's user could read nothing. And compiled
# here, once, each start and each command takes half as long: where it runs, nothing can be written.
RUN chmod -R a+rX /app && python -m compileall -q /app && install -d -o 10001 -g 10001 -m 700 /data
USER 10001:10001
VOLUME /data
EXPOSE 3000
# Whether it answers, at whichever port and with whosever certificate: whom it belongs to is no question of health.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import os, ssl, urllib.request as web; tls = os.environ.get('FINOPS_TLS_CERTIFICATE'); web.urlopen(('https' if tls else 'http') + '://127.0.0.1:' + (os.environ.get('PORT') or '3000') + '/healthz', timeout=4, context=ssl._create_unverified_context() if tls else None)"]
STOPSIGNAL SIGTERM
CMD ["python", "app.py"]
