# The walk of deploy/test-compose, sourced where the engine can be reached. Every step checks something and stops the
# walk when it does not hold.

edge=http://127.0.0.1:18080
folder=${CLUB_TEST_FOLDER:?}
services=(auth ledger promotions partners-exchange charity gift-certificates support)
phone=+79161234567
checks=0
times=()

check() { checks=$((checks + 1)); printf '  ok  %s\n' "$*" >&2; }
fail() {
    touch "$folder/stop"
    printf '  FAILED  %s\n' "$*" >&2
    docker compose ps --all >&2 || true
    docker compose logs --no-color --tail 400 > "$folder/containers.log" 2>&1 || true
    grep -E '"level":"(warning|error|critical)"|ERROR|FATAL|PANIC|\[(error|emerg|crit)\]|^migrate' \
        "$folder/containers.log" | tail -n 40 >&2 || tail -n 40 "$folder/containers.log" >&2
    exit 1
}
# timed WHAT COMMAND…
timed() {
    local what=$1 began=${EPOCHREALTIME/./}
    shift
    "$@" || fail "$what"
    times+=("$what" "$(((${EPOCHREALTIME/./} - began) / 100000))")
}
# until_true SECONDS COMMAND…: waits for what comes by itself.
until_true() {
    local limit=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $limit ] || return 1
        sleep 0.2
    done
}

club() { docker compose run --rm --no-deps -T club "$@" 2>> "$folder/club.log"; }
field() { sed "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/"; }
post() { curl -fsS --max-time 30 -X POST -H 'Content-Type: application/json' "$@"; }
get() { curl -fsS --max-time 30 -H "Authorization: Bearer $token" "$@"; }
balance() { get "$edge/v1/balance" 2>/dev/null | sed 's/.*"available":{[^}]*"points":\([0-9-]*\).*/\1/'; }
balance_is() { [ "$(balance)" = "$1" ]; }

receipts=0
lines='[{"position": 1, "sku": "demo-101", "category": "moloko-syr-ajca", "quantity": 2000, "price": 9490, "sum": 18980},
    {"position": 2, "sku": "demo-301", "category": "maso-i-ptica", "quantity": 1000, "price": 42990, "sum": 42990}]'
# receipt FD: one of 619.70 roubles, 61 points; prints the status.
receipt() {
    curl -sS -o /dev/null -w '%{http_code}' --max-time 30 -X POST -H 'Content-Type: application/json' \
        -H "Authorization: Bearer $key" "$edge/pos/v1/receipts" -d '{
        "fiscal": {"fn": "9999078900001234", "fd": '"$1"', "fpd": 3522207165},
        "store": "demo-1", "at": "'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'", "card": "'"$card"'",
        "lines": '"$lines"', "total": 61970}'
}
# buys: one more receipt, and its points show.
buys() {
    receipts=$((receipts + 1))
    [ "$(receipt "$receipts")" = 201 ] || return 1
    until_true 60 balance_is $((receipts * 61))
}

start_all() {
    docker compose up -d --wait --no-build > "$folder/up.log" 2>&1 && return
    tail -n 30 "$folder/up.log" >&2
    return 1
}

image_is_right() {
    local size user
    size=$(docker image inspect --format '{{.Size}}' club:test)
    user=$(docker compose run --rm --no-deps -T --entrypoint id club -u 2>/dev/null)
    [ "$size" -le 250000000 ] || fail "the image has $((size / 1000000)) MB, more than 250"
    [ "$user" = 10001 ] || fail "the image runs as $user"
    check "the image has $((size / 1000000)) MB and runs as user $user"
    if docker compose run --rm --no-deps -T --entrypoint touch club /usr/local/lib/club/x 2>/dev/null; then
        fail "the root file system can be written"
    fi
    check "the root file system cannot be written"
}

nothing_is_in_the_open() {
    local id secret path header answer
    for id in $(docker compose ps -q); do
        docker inspect "$id" > "$folder/inspected"
        for secret in "$folder"/secrets/*; do
            if grep -qF "$(cat "$secret")" "$folder/inspected"; then fail "inspecting shows $(basename "$secret")"; fi
        done
    done
    check "no secret can be read by inspecting a container"
    for path in /metrics /health/ready /openapi.yaml /gateways/kannel/x/messages /v1/nothing; do
        answer=$(curl -s -o "$folder/problem" -w '%{http_code} %{content_type}' "$edge$path")
        [ "$answer" = '404 application/problem+json' ] || fail "from outside $path is $answer"
    done
    check "metrics and the pages of operators are not to be had from outside"
    curl -s -D "$folder/headers" -o /dev/null "$edge/v1/faq"
    for header in content-security-policy referrer-policy x-content-type-options x-frame-options; do
        [ "$(grep -ci "^$header:" "$folder/headers")" = 1 ] || fail "$header: $(cat "$folder/headers")"
    done
    check "the edge sends the headers that browsers want"
}

# An access token is good for ten minutes.
fresh_token() {
    post "$edge/v1/tokens" -d '{"refreshToken": "'"$(field refreshToken < "$folder/tokens")"'"}' -o "$folder/tokens.new"
    mv "$folder/tokens.new" "$folder/tokens"
    token=$(field accessToken < "$folder/tokens")
}

code() { club sms --code --wait 30 --count "$1" "$phone"; }

member_joins() {
    local challenge registration first
    challenge=$(post "$edge/v1/challenges" -d '{"phone": "'"$phone"'"}' | field challenge)
    registration=$(post "$edge/v1/sessions" -d '{"challenge": "'"$challenge"'", "code": "'"$(code 1)"'"}' |
        field registration)
    card=$(post "$edge/v1/registrations" -d '{
        "registration": "'"$registration"'",
        "fullName": {"last": "Орлова", "first": "Вера", "middle": "Павловна"},
        "consents": {"terms": true, "personalData": true, "marketing": false}}' | field card)
    challenge=$(post "$edge/v1/challenges" -d '{"phone": "'"$phone"'"}' | field challenge)
    post "$edge/v1/sessions" -d '{"challenge": "'"$challenge"'", "code": "'"$(code 2)"'"}' -o "$folder/tokens"
    token=$(field accessToken < "$folder/tokens")
    first=$(get "$edge/v1/me" | field first)
    [ "$first" = Вера ] || fail "logged in as $first"
    check "a member registers by SMS, through the edge, and logs in"
}

member_buys() {
    key=$(club till-key issue --label 'till 1')
    timed "receipt to visible balance" buys
    [ "$(receipt "$receipts")" = 200 ] && balance_is 61 || fail "a receipt that is sent twice counts twice"
    check "a receipt is 61 points, and the same receipt again is none"
}

proof_holds() {
    local transaction
    transaction=$(get "$edge/v1/feed" | sed 's/.*"id":"\([^"]*\)","kind.*/\1/')
    until_true 60 get "$edge/v1/transactions/$transaction/proof" -o "$folder/proof" 2>/dev/null ||
        fail "there is no proof of $transaction"
    chmod 0644 "$folder/proof"
    docker compose run --rm --no-deps -T -v "$folder/proof:/tmp/proof:ro" club ledger check-proof /tmp/proof \
        > "$folder/proof.said" 2>&1 || fail "the proof does not hold: $(cat "$folder/proof.said")"
    check "the proof of a transaction holds"
}

is_healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$1" 2>/dev/null)" = healthy ]; }
has_restarted() { [ "$(docker inspect --format '{{.RestartCount}}' "$1")" -gt "$2" ] && is_healthy "$1"; }
# kill_process CONTAINER: as a crash does it, so that the engine's restart policy has to act.
kill_process() { kill -KILL "$(docker inspect --format '{{.State.Pid}}' "$1")"; }
# killed NAME: killed and back.
killed() {
    local id count
    id=$(docker compose ps -q "$1")
    count=$(docker inspect --format '{{.RestartCount}}' "$id")
    kill_process "$id"
    until_true 90 has_restarted "$id" "$count"
}

declare -A page=(
    [auth]=/v1/me [ledger]=/v1/balance [promotions]=/v1/stores [partners-exchange]=/v1/partners [charity]=/v1/funds
    [gift-certificates]=/v1/designs [support]=/v1/reasons [edge]=/v1/balance)
answers() { get -o /dev/null "$edge${page[$1]}" 2>/dev/null; }

containers_die() {
    local name
    for name in "${services[@]}" edge; do
        timed "kill -9 of $name to healthy" killed "$name"
        until_true 30 answers "$name" || fail "$name does not answer at ${page[$name]}"
    done
    buys || fail "no points after the kills"
    check "each of ${#services[@]} services and the edge is killed, and comes back by itself"
}

goes_on() { until_true 60 answers ledger && until_true 60 answers promotions && buys; }
database_restarts() { docker compose restart postgres > "$folder/restart.log" 2>&1 && goes_on; }
database_is_killed() { killed postgres && goes_on; }

database_dies() {
    timed "restart of the database to visible points" database_restarts
    timed "kill -9 of the database to visible points" database_is_killed
    check "the database is restarted and killed, and the services go on by themselves"
}

# each_ledger_serves: asks for balances, and says whether each of three ledgers has answered some of it.
each_ledger_serves() {
    local id address count total=0
    for _ in $(seq 15); do balance >/dev/null; done
    for id in $(docker compose ps -q ledger); do
        address=$(docker inspect --format '{{(index .NetworkSettings.Networks "clubtest_edge").IPAddress}}' "$id")
        count=$(curl -fsS "http://$address:8081/metrics" |
            sed -n 's/^http_requests_total{.*route="\/v1\/balance",status="200"} //p')
        if [ "${count:-0}" -ge 5 ]; then total=$((total + 1)); fi
    done
    [ $total = 3 ]
}

ledgers_share() {
    echo CLUB_LEDGER_REPLICAS=3 >> "$folder/env"
    timed "from 1 ledger to 3" docker compose up -d --wait --no-build --no-recreate ledger
    until_true 60 each_ledger_serves || fail "not each of three ledgers answers"
    buys || fail "no points with three ledgers"
    check "three ledgers share the work"
}

# pressure NUMBER: receipts, and balances between them, until the file `stop` is there, or a quarter of an hour has gone.
pressure() {
    local n=$(($1 * 100000)) log="$folder/pressure.$1" limit=$((SECONDS + 900))
    trap - ERR
    set +e
    while [ ! -e "$folder/stop" ] && [ $SECONDS -lt $limit ]; do
        n=$((n + 1))
        echo "receipt $(receipt $n 2>&1)" >> "$log"
        if [ $((n % 3)) = 0 ]; then
            echo "balance $(curl -sS -o /dev/null -w '%{http_code}' --max-time 30 -H "Authorization: Bearer $token" \
                "$edge/v1/balance" 2>&1)" >> "$log"
        fi
    done
}

# A next version of the image: the same programs, a migration that only adds, and functions of another text beside it, as
# they have to be (see FunctionSet: functions of the same text are not recorded anew).
make_next_version() {
    local number functions
    number=$(ls Services/Ledger/Migrations | sed -n 's/^0*\([0-9]*\)_.*/\1/p' | sort -n | tail -n 1)
    functions=$(ls Services/Ledger/Functions | sort | tail -n 1)
    mkdir -p "$folder/next/Migrations" "$folder/next/Functions"
    printf '%s\n' '-- What a next version needs, made before it runs: the version before it does not mind.' \
        'create table ledger.next_version (id int primary key);' \
        > "$folder/next/Migrations/$(printf '%04d' $((number + 1)))_next_version.sql"
    { cat "Services/Ledger/Functions/$functions"; echo '-- The next version.'; } > "$folder/next/Functions/$functions"
    printf '%s\n' 'FROM club:test' 'COPY Migrations /usr/local/lib/club/club_Ledger.resources/Migrations/' \
        'COPY Functions /usr/local/lib/club/club_Ledger.resources/Functions/' > "$folder/next/Dockerfile"
    docker build --quiet -t club:next "$folder/next" >/dev/null
}

all_run() { # VERSION
    local id
    for id in $(docker compose ps -q "${services[@]}"); do
        [ "$(docker inspect --format '{{.Config.Image}}' "$id")" = "club:$1" ] || return 1
    done
}

versions_roll() {
    local n jobs=() bad accepted
    make_next_version || fail "the next version was not built"
    rm -f "$folder/stop" "$folder"/pressure.*
    for n in 1 2 3; do
        pressure $n &
        jobs+=($!)
    done
    timed "upgrade of all services, under load" deploy/upgrade next
    all_run next || fail "not everything is of the next version"
    timed "rollback of all services, under load" deploy/upgrade --rollback test
    all_run test || fail "not everything is of the version before"
    touch "$folder/stop"
    wait "${jobs[@]}"
    cat "$folder"/pressure.* > "$folder/pressure"
    bad=$(grep -cvE '^(receipt 201|balance 200)$' "$folder/pressure" || true)
    if [ "$bad" != 0 ]; then
        grep -vE '^(receipt 201|balance 200)$' "$folder/pressure" | sort | uniq -c | head >&2
        fail "$bad requests failed"
    fi
    accepted=$(grep -c '^receipt 201$' "$folder/pressure")
    [ "$accepted" -ge 100 ] || fail "only $accepted receipts were posted"
    receipts=$((receipts + accepted))
    until_true 120 balance_is $((receipts * 61)) || fail "the balance is $(balance), not $((receipts * 61))"
    check "to the next version and back under load: $(wc -l < "$folder/pressure") requests, none failed;" \
        "$accepted receipts, none lost, none twice"
    deploy/upgrade next > "$folder/again.log" 2>&1 && all_run next && buys || fail "the next version does not come back"
    check "and to the next version again"
}

archived() {
    docker compose exec -T --user postgres postgres psql -XAtq -d club -c \
        "select last_archived_wal >= '$1' from pg_stat_archiver" | grep -qx t
}

backs_up() { deploy/backup --keep 2 > "$folder/backup" 2> "$folder/backup.log"; }
restores() { # MOMENT
    deploy/restore --to "$1" --yes > "$folder/restore.log" 2>&1 && return
    tail -n 20 "$folder/restore.log" >&2
    return 1
}

disaster_passes() {
    local moment kept piece
    timed "base backup" backs_up
    check "a base backup is made while everything runs: $(cat "$folder/backup")"
    buys && buys || fail "no points after the backup"
    kept=$receipts
    moment=$(date -u '+%Y-%m-%d %H:%M:%S.%6N+00')
    buys && buys && buys || fail "no points before the disaster"
    piece=$(docker compose exec -T --user postgres postgres psql -XAtq -d club -c \
        'select pg_walfile_name(pg_switch_wal())')
    until_true 60 archived "$piece" || fail "the archive does not get $piece"

    docker compose down >/dev/null 2>&1
    docker volume rm clubtest_postgres >/dev/null
    check "the database is destroyed"
    timed "restore to a moment, to healthy" restores "$moment"
    receipts=$kept
    until_true 30 answers ledger || fail "the ledger does not answer"
    balance_is $((kept * 61)) || fail "the balance is $(balance), not $((kept * 61))"
    check "it is as it was at the moment: $kept receipts, $((kept * 61)) points"
    # What came after the moment is gone, so its receipts are new again.
    timed "receipt to visible balance, after the restore" buys
    check "the members' journey goes on"
}

books_are_right() {
    timed "club ledger verify" club ledger verify
    check "club ledger verify: the books are right"
}

# As deploy/README.md says it, with the password of a role.
password_changes() {
    local file=$CLUB_SECRETS/club_ledger.password
    head -c 32 /dev/urandom | base64 | tr -d '\n' > "$file.new"
    chmod 0444 "$file.new"
    mv -f "$file.new" "$file"
    docker compose run --rm --no-deps -T migrate > "$folder/rotation.log" 2>&1 || fail "no new password is set"
    docker compose up -d --wait --no-build --no-deps --force-recreate ledger >> "$folder/rotation.log" 2>&1 ||
        fail "the ledger does not start with its new password"
    until_true 30 answers ledger && buys || fail "no points after the change of a password"
    check "the password of a database role is changed"
}

edge_speaks_tls() {
    mkdir -p "$folder/tls"
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout "$folder/tls/key.pem" \
        -out "$folder/tls/certificate.pem" >/dev/null 2>&1
    chmod 0755 "$folder" "$folder/tls"
    chmod 0644 "$folder"/tls/*.pem
    docker compose -f docker-compose.yml -f deploy/compose.tls.yml up -d --wait --no-deps --no-build edge \
        > "$folder/tls.log" 2>&1 || fail "the edge does not start with TLS"
    get --cacert "$folder/tls/certificate.pem" -D "$folder/headers" -o /dev/null \
        --resolve localhost:18443:127.0.0.1 https://localhost:18443/v1/balance || fail "no balance over TLS"
    grep -qi '^strict-transport-security: max-age' "$folder/headers" || fail "no HSTS over TLS"
    check "the edge speaks TLS when it has a certificate"
}

edge_slows_down() {
    local busy
    busy=$(curl -s -o /dev/null -w '%{http_code}\n' -X POST -H 'Content-Type: application/json' -d '{}' \
        "$edge/v1/challenges?n=[1-80]" | grep -c '^429$' || true)
    [ "$busy" -ge 30 ] || fail "of 80 requests for codes at once only $busy were refused"
    check "whoever asks too often is refused: $busy of 80 requests for codes"
}

# As little as it says: memory of each container when nothing happens.
memory() {
    docker stats --no-stream --format '{{.Name}} {{.MemUsage}}' | sed 's/^clubtest-//; s/ \/.*//' | sort
}

walk() {
    set -E
    trap 'fail "line $LINENO"' ERR
    timed "up, from nothing to healthy" start_all
    check "docker compose up -d --wait: everything is healthy"
    image_is_right
    nothing_is_in_the_open
    timed "demo data" club demo
    member_joins
    member_buys
    proof_holds
    containers_die
    database_dies
    ledgers_share
    fresh_token
    versions_roll
    books_are_right
    fresh_token
    disaster_passes
    books_are_right
    proof_holds
    fresh_token
    password_changes
    edge_speaks_tls
    edge_slows_down
    printf '\n%s checks passed\n\nMemory of each container:\n' "$checks"
    memory
    printf '\n'
    local i
    for ((i = 0; i < ${#times[@]}; i += 2)); do
        printf '%-58s %4d.%d s\n' "${times[i]}" $((times[i + 1] / 10)) $((times[i + 1] % 10))
    done
}
