#!/bin/sh
# Makes what compose.production.yaml reads from docker/secrets: passwords, the users of Redis, an authority with a
# certificate for the Redis nodes, and a certificate to try TLS with. What is there already stays, but for a user "default"
# without rights, which loses data when a node restarts.
#
#   docker/make-secrets.sh [folder]
#
# NAME        the name in the certificate to try TLS with (default localhost)
# KEYSLOT     how to run node in the image (default docker run … keyslot)
# ADDRESSES   of the Redis nodes, as in compose.production.yaml
set -eu
# The folder is for its owner only. The files in it can be read by all, because each container has a user of its own and
# sees only the files that it is given.
umask 022
folder=${1:-$(dirname "$0")/secrets}
name=${NAME:-localhost}
addresses=${ADDRESSES:-172.30.2.11 172.30.2.12 172.30.2.13 172.30.2.14 172.30.2.15 172.30.2.16}
keyslot=${KEYSLOT:-docker run --rm --network none -e REDIS_PASSWORD -e REDIS_ADMIN_PASSWORD -e REDIS_REPLICA_PASSWORD keyslot}

here=$PWD
mkdir -p "$folder"
chmod 700 "$folder"
cd "$folder"

for secret in redis-admin-password redis-keyslot-password redis-replica-password key-encryption-secret; do
  [ -s "$secret" ] || openssl rand -hex 32 > "$secret"
done

if [ ! -s redis-users ]; then
  REDIS_PASSWORD=$(cat redis-keyslot-password)
  REDIS_ADMIN_PASSWORD=$(cat redis-admin-password)
  REDIS_REPLICA_PASSWORD=$(cat redis-replica-password)
  export REDIS_PASSWORD REDIS_ADMIN_PASSWORD REDIS_REPLICA_PASSWORD
  advice=$(mktemp)
  # In a variable first: a failure leaves no file. What it advises to do is done here.
  users=$(cd "$here" && $keyslot dist/cli.js redis-acl --file 2> "$advice") || {
    cat "$advice" >&2
    exit 1
  }
  case $users in
    *'#sha256-of-'*)
      cat "$advice" >&2
      echo 'A password has not reached redis-acl: KEYSLOT has to hand on REDIS_PASSWORD, REDIS_ADMIN_PASSWORD and REDIS_REPLICA_PASSWORD.' >&2
      exit 1
      ;;
  esac
  rm "$advice"
  printf '%s\n' "$users" > redis-users
fi
if grep -q '^user default off$' redis-users; then
  mended=$(sed 's/^user default off$/user default off resetpass ~* \&* +@all/' redis-users)
  # Into the file and not in its place, which a container would not see.
  printf '%s\n' "$mended" > redis-users
  echo 'redis-users: the user "default" had no rights, so that a node that restarts would lose writes. It is mended.' >&2
  echo 'Nodes that run are not changed. See "Installations from before" in docs/operations/upgrades.md.' >&2
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
# $1: what the files are called, $2: whom the certificate is for
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
