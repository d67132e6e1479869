# Sourced by scripts/vm-*: a virtual machine of this machine's own files below a Debian kernel. What it writes stays in its memory.
vm_name="$(basename "$0")"
# The kernel is kept.
vm_cache="$PWD/.cache/vm-camera"
tell() { printf '%s: %s\n' "$vm_name" "$*" >&2; }

# vm_needs PROGRAM:PACKAGE…: beside what every such machine needs
vm_needs() {
  for pair in qemu-system-x86_64:qemu-system-x86 busybox:busybox-static cpio:cpio "$@"; do
    command -v "${pair%:*}" >/dev/null || { tell "missing: the Debian package ${pair#*:}"; exit 1; }
  done
}

# vm_make FOLDER MODULE…: the machine with these modules. Its first program mounts this machine's root as /all, with a /tmp of its
# own, does what stands on standard input, and switches it off. Afterwards `vm` is the command that starts it, to which devices may
# be added; its console is written to FOLDER/console.txt.
vm_make() {
  local folder=$1 root="$1/initramfs" image kernel version modules module file
  local needed=(virtio_pci 9pnet_virtio 9p overlay "${@:2}")
  mkdir -p "$vm_cache"
  if ! compgen -G "$vm_cache/kernel/boot/vmlinuz-*" >/dev/null; then
    image="$(apt-cache depends linux-image-amd64 | grep -o 'linux-image-[0-9][^ ]*' | head -n 1)"
    (cd "$vm_cache" && apt-get -q -o APT::Sandbox::User=root download "$image" >&2 && dpkg-deb -x "$image"_*.deb kernel)
  fi
  kernel="$(ls "$vm_cache"/kernel/boot/vmlinuz-*)"
  version="${kernel##*/vmlinuz-}"
  busybox depmod -b "$vm_cache/kernel" "$version"
  modules="$vm_cache/kernel/lib/modules/$version"
  mkdir -p "$root"/{bin,proc,sys,dev,host,written,all,"lib/modules/$version"}
  cp "$(command -v busybox)" "$root/bin/"
  cp "$modules/modules.dep" "$root/lib/modules/$version/"
  for module in "${needed[@]}"; do
    for file in $(sed -n "s|^\(\S*/$module\.ko\): *\(.*\)|\1 \2|p" "$modules/modules.dep"); do
      install -D "$modules/${file#*"$version"/}" "$root/lib/modules/$version/${file#*"$version"/}"
    done
  done
  {
    cat <<INIT
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc && mount -t sysfs sys /sys && mount -t devtmpfs dev /dev
for module in ${needed[*]}; do modprobe \$module; done
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=524288 host /host
mount -t tmpfs written /written && mkdir /written/upper /written/work
mount -t overlay -o lowerdir=/host,upperdir=/written/upper,workdir=/written/work all /all
mount -t proc proc /all/proc && mount -t sysfs sys /all/sys && mount -t devtmpfs dev /all/dev
mount -t tmpfs tmp /all/tmp
INIT
    cat
    echo 'poweroff -n -f'
  } >"$root/init"
  chmod +x "$root/init"
  (cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$folder/initramfs.gz"
  : >"$folder/console.txt"
  vm=(
    qemu-system-x86_64 -accel tcg,thread=multi -cpu max -m 1500 -smp 2 -display none
    -serial "file:$folder/console.txt" -monitor none -nodefaults -nic none -no-reboot
    -kernel "$kernel" -initrd "$folder/initramfs.gz" -append 'console=ttyS0 panic=1 quiet no_timer_check'
    -device virtio-rng-pci -virtfs 'local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap'
  )
  tell 'starting'
}
