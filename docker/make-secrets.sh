#!/bin/sh
# Creates the files in docker/secrets that compose.production.yaml reads: passwords, the Redis users, a certificate authority
# with a certificate for the Redis nodes, and a certificate for nginx to try TLS. It keeps existing files, except that it
# repairs a user "default" without rights, because with this user a node loses data when it restarts.
#
#   docker/make-secrets.sh [folder]
#
# NAME        the host name in the certificate for nginx (default localhost)
# SERVICES    names of services with the guard: each gets a Redis user with its name, and redis-<name>-password (default none)
# KEYSLOT     the command that runs node in the image (default docker run … keyslot)
# ADDRESSES   the addresses of the Redis nodes, as in compose.production.yaml
set -eu
# Only the owner can open the folder. Every user can read its files, because each container has its own user, and sees only
# the files that are mounted into it.
umask 022
folder=${1:-$(dirname "$0")/secrets}
name=${NAME:-localhost}
addresses=${ADDRESSES:-172.30.2.11 172.30.2.12 172.30.2.13 172.30.2.14 172.30.2.15 172.30.2.16 172.30.2.17}
keyslot=${KEYSLOT:-docker run --rm --network none -e REDIS_USERNAME -e REDIS_PASSWORD -e REDIS_ADMIN_PASSWORD -e REDIS_REPLICA_PASSWORD keyslot}

here=$PWD
mkdir -p "$folder"
chmod 700 "$folder"
cd "$folder"

for secret in redis-admin-password redis-keyslot-password redis-replica-password key-encryption-secret; do
  [ -s "$secret" ] || openssl rand -hex 32 > "$secret"
done

# Prints lines of the ACL file. The advice that redis-acl prints is for other installations.
acl() {
  advice=$(mktemp)
  lines=$(cd "$here" && $keyslot dist/cli.js redis-acl --file "$@" 2> "$advice") || {
    cat "$advice" >&2
    exit 1
  }
  case $lines in
    *'#sha256-of-'*)
      cat "$advice" >&2
      echo 'redis-acl did not receive all passwords: the command in KEYSLOT must pass on REDIS_USERNAME, REDIS_PASSWORD, REDIS_ADMIN_PASSWORD and REDIS_REPLICA_PASSWORD.' >&2
      exit 1
      ;;
  esac
  rm "$advice"
  printf '%s\n' "$lines"
}

if [ ! -s redis-users ]; then
  REDIS_USERNAME=keyslot
  REDIS_PASSWORD=$(cat redis-keyslot-password)
  REDIS_ADMIN_PASSWORD=$(cat redis-admin-password)
  REDIS_REPLICA_PASSWORD=$(cat redis-replica-password)
  export REDIS_USERNAME REDIS_PASSWORD REDIS_ADMIN_PASSWORD REDIS_REPLICA_PASSWORD
  # Into a variable first, so that a failure leaves no file.
  users=$(acl)
  printf '%s\n' "$users" > redis-users
fi
for service in ${SERVICES:-}; do
  [ -s "redis-$service-password" ] || openssl rand -hex 32 > "redis-$service-password"
  if ! grep -q "^user $service " redis-users; then
    REDIS_USERNAME=$service
    REDIS_PASSWORD=$(cat "redis-$service-password")
    export REDIS_USERNAME REDIS_PASSWORD
    users=$(acl --guard)
    printf '%s\n' "$users" >> redis-users
  fi
done
if grep -q '^user default off$' redis-users; then
  repaired=$(sed 's/^user default off$/user default off resetpass ~* \&* +@all/' redis-users)
  # Overwrite the file instead of replacing it, because a container would not see a new file.
  printf '%s\n' "$repaired" > redis-users
  echo 'redis-users: the user "default" had no rights, so a restarting node would have lost writes. The file was repaired.' >&2
  echo 'Running nodes were not changed. See "Installations of earlier versions" in docs/operations/upgrades.md.' >&2
fi
[ -s redis-replication ] ||
  printf 'masteruser replica\nmasterauth %s\n' "$(cat redis-replica-password)" > redis-replication

new_key() {
  openssl ecparam -name prime256v1 -genkey -noout
}
if [ ! -s redis-ca ]; then
  new_key > redis-ca-key
  openssl req -x509 -new -key redis-ca-key -sha256 -days 3650 -subj '/CN=Keyslot Redis authority' -out redis-ca
fi
# $1: prefix of the file names, $2: subject alternative names of the certificate
certify() {
  new_key > "$1-key"
  extensions=$(mktemp)
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$2" > "$extensions"
  openssl req -new -key "$1-key" -subj '/CN=Keyslot' |
    openssl x509 -req -CA redis-ca -CAkey redis-ca-key -CAcreateserial -sha256 -days 365 \
      -extfile "$extensions" -out "$1-cert" 2> /dev/null
  rm "$extensions"
}
if [ ! -s redis-cert ]; then
  names=
  for address in $addresses 127.0.0.1; do
    names="${names:+$names,}IP:$address"
  done
  certify redis "$names"
fi
[ -s tls-cert ] || certify tls "DNS:$name"
