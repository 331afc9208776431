#!/usr/bin/env bash
# Build the images and run the whole of compose.yaml once, on ports and volumes of its own, then remove all of it:
# `deploy/rehearse.sh`. Checks what no parser can: that read-only roots, foreign accounts and the private network let
# the services live, that nothing but Caddy can be reached, that a careless secret stops a start, and that a backup
# comes back. Needs a container engine; exit 3 and a loud line when there is none. Takes 3 to 10 minutes.
#
# Where base images can not be pulled, STANDINS=1 builds stand-ins under their names from Debian packages and Python
# wheels (needs root, mmdebstrap): good for our files, no proof for the official images.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
engine_pid=
# the program itself: the command that its package installs ends with 0 whatever happened
compose=$(.state/venv/bin/python -c 'import importlib.util as i; print(next(iter(i.find_spec("compose").submodule_search_locations)))')/docker-compose
export DOCKER_BUILDKIT=1 SECRETS_FOLDER=$work/secrets SURVEYS_FOLDER=$work/surveys
export SITE=https://accounts.internal ORCHESTRATOR_SITE=https://orchestrator.internal
export HTTP_PORT=127.0.0.1:38080 HTTPS_PORT=127.0.0.1:38443 VERSION=rehearsal

door=accounts.internal:38443
orchestrator=orchestrator.internal:38443

docker() { command "${DOCKER:-$([ -x /usr/bin/docker ] && echo /usr/bin/docker || echo docker)}" "$@"; }
project() { "$compose" --project-name rehearsal --env-file /dev/null "$@"; }
say() { printf '\n== %s\n' "$*"; }

finish() {
    code=$?
    [ "$code" = 0 ] || { project ps --all || true; project logs --tail 30 --no-color || true; } 2>/dev/null
    project --profile '*' down --volumes --remove-orphans --timeout 20 >/dev/null 2>&1 || true
    [ -z "$engine_pid" ] || { kill "$engine_pid" && wait "$engine_pid" || true; } 2>/dev/null
    rm -rf "$work"
    [ "$code" = 0 ] || [ "$code" = 3 ] || echo "REHEARSAL FAILED"
    exit "$code"
}
trap finish EXIT

if ! docker version >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v dockerd >/dev/null; then
        export DOCKER_HOST=unix://$work/sock
        dockerd --data-root "${ENGINE_DATA:-$work/data}" --exec-root "$work/exec" -p "$work/pid" -H "$DOCKER_HOST" >"$work/dockerd.log" 2>&1 &
        engine_pid=$!
        for _ in $(seq 60); do docker version >/dev/null 2>&1 && break || sleep 0.5; done
    fi
    if ! docker version >/dev/null 2>&1; then
        echo "CONTAINERS NOT CHECKED: no container engine answers here, and none could be started." >&2
        exit 3
    fi
fi

if [ -n "${STANDINS:-}" ]; then
    say "Stand-ins for the base images"
    cp -r tests/deploy/standins "$work/standins"
    cp "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$work/standins/ca-certificates.crt"
    if ! docker image inspect standin:0 >/dev/null 2>&1; then
        mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates trixie "$work/base.tar"
        docker import "$work/base.tar" standin:0 >/dev/null
    fi
    stand_in() { docker build -q -t "$2" -f "$work/standins/$1.Dockerfile" --build-arg PYTHON=python:3.13-slim-trixie "$work/standins"; }
    stand_in python python:3.13-slim-trixie
    stand_in postgres postgres:18.4-trixie
    stand_in valkey valkey/valkey:9.1
    stand_in caddy caddy:2.11.7
    stand_in node node:24-trixie-slim
fi

say "Images"
for target in faces pipeline web; do
    docker build -q --target "$target" -t "account-intelligence/$target:$VERSION" .
done

say "Start"
mkdir -p "$SURVEYS_FOLDER"
deploy/make-secrets.sh "$SECRETS_FOLDER"
project up --detach --no-build --wait --wait-timeout 300
project ps

say "Only Caddy can be reached"
published=$(docker ps --filter label=com.docker.compose.project=rehearsal --format '{{.Names}} {{.Ports}}' | grep -c -- '->')
[ "$published" = 1 ]

say "Through the door"
ask() { curl -sk --noproxy '*' --resolve "$door:127.0.0.1" --resolve "$orchestrator:127.0.0.1" -o /dev/null -w '%{http_code}' "$@"; }
expect() { got=$(ask "$2"); echo "$2: $got"; [ "$got" = "$1" ] || { echo "expected $1"; return 1; }; }
expect 200 "https://$door/api/health"
expect 401 "https://$door/api/session"
expect 401 "https://$door/app/"
expect 401 "https://$orchestrator/"

say "The network of the services has no way out, and only loads and door are on another"
[ "$(docker network inspect --format '{{.Internal}}' rehearsal_private)" = true ]
elsewhere=$(docker network inspect --format '{{range .Containers}}{{.Name}} {{end}}' rehearsal_edge rehearsal_outside | xargs -n1 | sort | xargs)
[ "$elsewhere" = "rehearsal-caddy-1 rehearsal-dagster-code-1" ]

say "No secret can be read off a container or its log"
for container in $(docker ps -aq --filter label=com.docker.compose.project=rehearsal); do
    docker inspect "$container"
    docker logs "$container" 2>&1
done >"$work/seen"
for secret in "$SECRETS_FOLDER"/*; do
    [ ! -s "$secret" ] || ! grep -qF -f "$secret" "$work/seen" || { echo "$(basename "$secret") can be read"; exit 1; }
done

say "A careless secret stops a start"
refusal=$(project run --rm --no-deps -T -e APP_DATABASE_URL=postgresql+psycopg://application:password@postgres:5432/warehouse api start api 2>&1 || true)
echo "$refusal" | grep -q "Refusing to start: the password of APP_DATABASE_URL is a default"

say "A person, a backup, a restore"
project exec -T -e FIRST_PASSWORD="$(head -c 18 /dev/urandom | base64)" api \
    python -m deploy run -m app.users add --email first@example.com --name First --role admin --password-env FIRST_PASSWORD
project exec -T backup python -m deploy backup
project run --rm -T restore restore newest --replace
project exec -T api python -m deploy run -m app.users list | grep -q first@example.com

say "REHEARSAL PASSED"
