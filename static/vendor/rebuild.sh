#!/bin/sh
# Rebuilds the folders beside this file from the packages that npm holds, then manifest.json.
# Needs npm and python3. Lines that name a source map are taken out: the maps are not kept here.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
get() { (cd "$work" && npm pack --silent "$1@$2" >/dev/null && mkdir -p "$3" && tar xzf ./*.tgz -C "$3" --strip-components=1 && rm ./*.tgz); }
folder() { rm -rf "$1"; mkdir -p "$1/$2"; printf '%s' "$1/$2"; }
mapless() { sed -e 's#/\*\# sourceMappingURL=[^*]*\*/##' -e '/^\/\/# sourceMappingURL=/d' "$1"; }

get @tabler/core 1.6.1 tabler
get @tabler/icons 3.51.0 icons
get @fontsource-variable/inter 5.3.0 inter
get @fontsource-variable/jetbrains-mono 5.3.0 mono
get squire-rte 2.4.8 squire
get dompurify 3.4.18 purify

to=$(folder tabler-core 1.6.1)
mapless "$work/tabler/dist/css/tabler.min.css" > "$to/tabler.min.css"
# The package carries no licence file of its own; its package.json says MIT and the style sheet's head names the holders.
{ sed -n 's/^ \* \(Copyright.*\)/\1/p' "$work/tabler/dist/css/tabler.min.css"; tail -n +4 "$work/icons/LICENSE"; } > "$to/LICENSE"

to=$(folder tabler-icons 3.51.0)
cp "$work/icons/LICENSE" "$to/LICENSE"
{ echo '<svg xmlns="http://www.w3.org/2000/svg">'
  while read -r name; do
    printf '<symbol id="%s" viewBox="0 0 24 24">' "$name"
    sed -e '/<!--/,/-->/d' "$work/icons/icons/outline/$name.svg" | tr '\n' ' ' | sed -e 's/<svg[^>]*>//' -e 's#</svg>.*##'
    echo '</symbol>'
  done < icons.txt
  echo '</svg>'; } > "$to/sprite.svg"

to=$(folder inter 5.3.0)
cp "$work/inter/LICENSE" "$work/inter/files/inter-latin-opsz-normal.woff2" "$work/inter/files/inter-latin-ext-opsz-normal.woff2" "$to/"
to=$(folder jetbrains-mono 5.3.0)
cp "$work/mono/LICENSE" "$work/mono/files/jetbrains-mono-latin-wght-normal.woff2" "$to/"

to=$(folder squire-rte 2.4.8)
cp "$work/squire/LICENSE" "$to/"
mapless "$work/squire/dist/squire.js" > "$to/squire.js"
to=$(folder dompurify 3.4.18)
cp "$work/purify/LICENSE" "$to/"
mapless "$work/purify/dist/purify.min.js" > "$to/purify.min.js"

python3 - <<'PY'
import hashlib, json, pathlib
licences = {"tabler-core": ("@tabler/core", "MIT"), "tabler-icons": ("@tabler/icons", "MIT"),
            "inter": ("@fontsource-variable/inter", "OFL-1.1"),
            "jetbrains-mono": ("@fontsource-variable/jetbrains-mono", "OFL-1.1"),
            "squire-rte": ("squire-rte", "MIT"), "dompurify": ("dompurify", "Apache-2.0 OR MPL-2.0")}
entries = []
for folder, (name, licence) in sorted(licences.items()):
    (version,) = pathlib.Path(folder).iterdir()
    files = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(version.iterdir())}
    entries.append({"folder": folder, "name": name, "version": version.name, "licence": licence, "sha256": files})
pathlib.Path("manifest.json").write_text(json.dumps(entries, indent=2) + "\n")
PY
