#!/usr/bin/env bash
# Make the secrets that are missing: `deploy/make-secrets.sh [FOLDER]`, by default ./secrets. What is there stays.
# The folder is closed to everybody else; the files inside are readable, because an engine mounts them with the
# owner they have here, and the services run under other accounts.
set -euo pipefail
folder=${1:-secrets}
made='postgres_password application_password loader_password transformer_password learner_password analyst_password
    dagster_password backup_password redis_password proxy_secret'
# those of others: an empty one means that there is none
given='hubspot_token stripe_api_key zendesk_client_secret product_dsn smtp_password notify_webhook_url oidc_client_secret'
mkdir -p "$folder"
chmod 700 "$folder"
for name in $made; do
    [ -s "$folder/$name" ] || head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n' >"$folder/$name"
done
for name in $given; do
    [ -e "$folder/$name" ] || : >"$folder/$name"
done
chmod 444 "$folder"/*
echo "Secrets are in $folder. Fill in those of your sources: $(for name in $given; do [ -s "$folder/$name" ] || printf '%s ' "$name"; done)"
