# Sourced: which Debian packages are missing, and their installation where we may (root).

# missing_packages NAME…: those that are not installed, on one line; none where there is no dpkg.
missing_packages() {
  command -v dpkg-query >/dev/null || return 0
  local name missing=()
  for name in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
  done
  echo "${missing[*]}"
}

may_install_packages() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# install_packages NAME…: what apt-get said stands in .cache/apt.txt. Bounded: a mirror that hangs ends the try.
install_packages() {
  mkdir -p .cache
  local get=(timeout --kill-after=10 900 env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120)
  "${get[@]}" install -y --no-install-recommends "$@" >.cache/apt.txt 2>&1 </dev/null ||
    { "${get[@]}" update && "${get[@]}" install -y --no-install-recommends "$@"; } >.cache/apt.txt 2>&1 </dev/null
}

# provide_packages FILE WHO: what FILE lists, one `name # reason` a line, is installed where we may; what is missing then is
# in $missing.
missing=''
provide_packages() {
  local wanted
  wanted="$(sed 's/#.*//' "$1" | xargs)"
  missing="$(missing_packages $wanted)"
  if [ -n "$missing" ] && may_install_packages; then
    echo "$2: installing Debian packages: $missing" >&2
    install_packages $missing || echo "$2: apt-get failed, see .cache/apt.txt" >&2
    missing="$(missing_packages $wanted)"
  fi
}
