# shellcheck shell=bash disable=SC2034
# ./test --sanitize, to be sourced by ./test: the extension and the gateway under
# UndefinedBehaviorSanitizer, on any server.  What it finds stands in the servers'
# logs, where the last step looks for it, and the tests go on.  (Debian's server
# does not start with AddressSanitizer preloaded; --valgrind sees memory.)
#
# The server aligns its data as the processor allows it.

build_options=(COPT='-O1 -g -fno-omit-frame-pointer -fsanitize=undefined -fno-sanitize=alignment -Wno-clobbered'
	with_llvm=no)
