import { faultOf } from '../../src/catalogue/faults.ts';

/*
 * /usr/bin/uketsuke. Of a program that is damaged the doctor is a part: where it says nothing at all, the shell asks dpkg
 * for it, and tells it in the words of the table of faults.
 */

/** Where Node keeps what it compiled of our programs: the units name it, and root alone writes there. */
export const compiled = '/var/cache/uketsuke/compiled';

const fault = 'program.damaged';

/** `start`: Node and the program, without arguments */
export const startScript = (start: string): string => {
  const { actor, cause, remedy } = faultOf(fault);
  const [step = ''] = remedy;
  for (const text of [cause, step]) if (/["'\\]/.test(text)) throw new Error(`cannot stand in a shell's JSON: ${text}`);
  return `#!/bin/sh
export NODE_COMPILE_CACHE="\${NODE_COMPILE_CACHE:-${compiled}}"
[ "$1" = doctor ] || exec ${start} "$@"
said=$(${start} "$@")
status=$?
# 0 and 2 need no word (a file that cannot be read is told on standard error); 126 and more: Node itself is away.
if [ -n "$said" ] || [ $status -eq 0 ] || [ $status -eq 2 ]; then
  [ -z "$said" ] || printf '%s\\n' "$said"
  exit $status
fi
packages= first= units=
for name in uketsuke uketsuke-terminal uketsuke-agent uketsuke-kiosk; do
  path=$(dpkg --verify "$name" 2>/dev/null | sed -n 's/^[^ ]* *\\(c \\)\\{0,1\\}//p' | head -n 1)
  [ -z "$path" ] || { packages="$packages $name"; first="\${first:-$path}"; }
done
# dpkg knows nothing of rights, and cannot tell what killed it.
[ -n "$packages" ] || [ $status -lt 126 ] || { packages=' uketsuke' first='${start.split(' ')[0]}'; }
# Whole, and silent all the same: its own words were on standard error.
[ -n "$packages" ] || exit $status
for name in uketsuke-link uketsuke-face uketsuke uketsuke-agent; do
  ! systemctl is-enabled --quiet "$name" 2>/dev/null || units="$units $name"
done
step=$(printf '%s' '${step}' | sed "s|{packages}|\${packages# }|; s|{units}|\${units# }|")
case " $* " in
*' --json '*)
  printf '{"ok":false,"verdict":"uketsuke %s","diagnoses":[{"check":"program","state":"fault","fault":"%s","actor":"%s","party":"terminal","cause":"%s","detail":"%s","remedy":"%s","steps":["%s"]}]}\\n' '${fault}' '${fault}' '${actor}' '${cause}' "$first" "$step" "$step" ;;
*) printf 'FAIL  program      %s (%s)\\n      cause:   %s\\n      remedy:  %s\\n      who:     %s\\n' '${fault}' "$first" '${cause}' "$step" '${actor}' ;;
esac
exit 1
`;
};
