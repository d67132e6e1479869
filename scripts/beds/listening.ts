import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Local addresses of the listening TCP sockets of a process: `127.0.0.1:8490`; IPv6 as the kernel's hexadecimal. */
export const listening = (pid: number): string[] => {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A' && inodes.has(fields[9] ?? ''))
      .map(([, local = '']) => {
        const [address = '', port = ''] = local.split(':');
        const shown =
          address.length === 8
            ? (address.match(/../g) ?? [])
                .reverse()
                .map((byte) => Number.parseInt(byte, 16))
                .join('.')
            : address;
        return `${shown}:${Number.parseInt(port, 16)}`;
      }),
  );
};
