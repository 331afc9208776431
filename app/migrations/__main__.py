"""`python -m app.migrations`: bring the database of APP_DATABASE_URL to the newest migration."""

from app.migrations.run import upgrade
from app.settings import get_settings

if __name__ == "__main__":
    upgrade(get_settings().app_database_url.get_secret_value())
    print("Schema app is at the newest migration.")
