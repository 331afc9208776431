"""One prepared warehouse a run, copied for every test: a copy takes a fraction of what preparing takes."""

from collections.abc import Iterator
from itertools import count

import psycopg
import pytest
from psycopg import sql

from app.auth import Identity, Role
from app.db import engine, make_engine
from app.migrations.run import upgrade
from app.settings import get_settings
from local.postgres import Postgres
from tests.app.factories import Estate, create_marts
from tests.conftest import Warehouse, drop_database, make_warehouse

_numbers = count(1)


@pytest.fixture(scope="session")
def template(postgres_server: Postgres) -> Iterator[Warehouse]:
    """A warehouse with roles, schema app at the newest migration, and empty marts. Nobody stays connected to it."""
    made = make_warehouse(postgres_server)
    upgrade(made.application_url)
    with psycopg.connect(made.transformer_dsn) as transformer:
        create_marts(transformer)
    yield made
    drop_database(postgres_server, made.database)


@pytest.fixture
def estate(template: Warehouse, postgres_server: Postgres) -> Iterator[Estate]:
    """A copy of the template of the test's own."""
    name = f"{template.database}_{next(_numbers)}"
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as server:
        server.execute(
            sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template.database))
        )
    url, transformer_dsn, loader_dsn = (
        address.replace(f"/{template.database}", f"/{name}")
        for address in (template.application_url, template.transformer_dsn, template.loader_dsn)
    )
    application = make_engine(url, pool_size=30)
    transformer = psycopg.connect(transformer_dsn, autocommit=True)
    admin = psycopg.connect(postgres_server.dsn(name), autocommit=True)
    yield Estate(engine=application, transformer=transformer, admin=admin, application_url=url, loader_dsn=loader_dsn)
    application.dispose()
    transformer.close()
    admin.close()
    drop_database(postgres_server, name)


@pytest.fixture
def published(estate: Estate) -> None:
    """One published account, Ashford Media; in the CRM it is Maya's."""
    estate.account()
    estate.publish()


@pytest.fixture
def maya(estate: Estate, published: None) -> Identity:
    """The CSM whose account is published."""
    return estate.user()


@pytest.fixture
def tom(estate: Estate, published: None) -> Identity:
    """A CSM beside Maya, without accounts."""
    return estate.user("Tom Okafor")


@pytest.fixture
def admin(estate: Estate, published: None) -> Identity:
    """An admin, who may assign: what they create without an owner waits in the queue."""
    return estate.user("Harriet Cole", Role.ADMIN)


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings of a test: no database and no Redis unless it names them."""
    monkeypatch.setenv("APP_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    for name in ("REDIS_URL", "FOLLOW_SOURCE_CLOCK", "ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    get_settings.cache_clear()
    yield
    if engine.cache_info().currsize:
        engine().dispose()
    engine.cache_clear()
    get_settings.cache_clear()
