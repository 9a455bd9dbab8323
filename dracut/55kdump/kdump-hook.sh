#!/bin/sh
# Sourced by dracut before it would mount the root file system, and where it
# gives up. It does not come back from here.
if /usr/lib/kdump/capture/is-capture; then
    /usr/lib/kdump/capture/kdump-capture </dev/null >/dev/console 2>&1
fi
