# One image for web, worker and beat; the command says which.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 CDP_PRODUCTION=1
RUN useradd --create-home --uid 10001 cdp
WORKDIR /srv/cdp

COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements.txt

COPY --chown=cdp . .
USER cdp
EXPOSE 8000
CMD ["gunicorn", "cdp.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "8"]
