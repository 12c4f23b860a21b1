#!/bin/sh
# Run in the image of a bento, once its packages are installed: a bento holds code and installs no project, and
# the code asks Python which release it is.
set -eu
place="$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/forecarbon-0.1.0.dist-info"
mkdir -p "$place"
printf 'Metadata-Version: 2.1\nName: forecarbon\nVersion: 0.1.0\n' > "$place/METADATA"
