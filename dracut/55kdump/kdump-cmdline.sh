#!/bin/sh
# Sourced by dracut. The capture kernel's command line names no root, and none
# is mounted; without systemd dracut wants one named all the same. After dracut's
# own hooks, which read it from that line.
if /usr/lib/kdump/capture/is-capture && [ -z "${DRACUT_SYSTEMD-}" ]; then
    # shellcheck disable=SC2034 # dracut reads them
    root=kdump rootok=1
fi
