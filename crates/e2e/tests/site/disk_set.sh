#!/bin/sh
# A site's own disk set, as the lab plays it: the block device is there only on the node that holds it.
# disk_set.sh take|force|release|status SERVICE NODE DEVICE
set -eu
real=$(cat /etc/siaga/site-lun)
case $1 in
take | force)
    ln -s "$real" "$4"
    echo "$1 $2 $3" >>/etc/siaga/site-log
    ;;
release)
    rm -f "$4"
    echo "$1 $2 $3" >>/etc/siaga/site-log
    ;;
status)
    # As one that asks a machine which does not answer.
    while [ -e /etc/siaga/site-hangs ]; do sleep 0.1; done
    [ -L "$4" ] || exit 3
    ;;
*) exit 1 ;;
esac
