# durable_singleton: PGXS build.  `make`, `make install`, `make installcheck`
# (the last as an ordinary user; ./test does all of it on a bare machine).
#
# The HTTP gateway is built and installed along where the headers of
# libmicrohttpd and libpq are; with_gateway=no leaves it out, with_gateway=yes
# insists on it.  `make gateway` and `make install-gateway` are for it alone.

MODULE_big = durable_singleton
EXTENSION = durable_singleton
# The script of 1.0, made of parts in this order.  It is released and stays as it
# is: extension/releases has its checksum.  Every later version is an upgrade
# script, and CREATE EXTENSION runs the whole chain.
SCRIPT = durable_singleton--1.0.sql
SCRIPT_PARTS = $(addprefix extension/,tables.sql functions.sql views.sql administration.sql http.sql privileges.sql)
DATA_built = $(SCRIPT)
DATA = $(sort $(wildcard extension/durable_singleton--*--*.sql))
SOURCE_DIRS = src $(patsubst %/,%,$(sort $(wildcard src/*/)))
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard $(addsuffix /*.c,$(SOURCE_DIRS)))))
PGFILEDESC = "durable_singleton - durable singleton orchestrations"

TESTS = $(wildcard sql/*.sql)
REGRESS = $(patsubst sql/%.sql,%,$(sort $(TESTS)))
ISOLATION = $(patsubst specs/%.spec,%,$(sort $(wildcard specs/*.spec)))
TAP_TESTS = 1

# The workers need shared_preload_libraries, hence servers of our own.
REGRESS_OPTS = --temp-config=./test.conf --temp-instance=./tmp_regress --no-locale
ISOLATION_OPTS = --temp-config=./test.conf --temp-instance=./tmp_iso --no-locale --load-extension=durable_singleton

EXTRA_CLEAN = tmp_regress tmp_iso tmp_check output_iso results regression.diffs regression.out

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
# Packages of the client alone have pg_config and PGXS, too.
SERVER_HEADERS := $(wildcard $(shell $(PG_CONFIG) --includedir-server)/postgres.h)
ifeq ($(and $(wildcard $(PGXS)),$(SERVER_HEADERS)),)
$(error PG_CONFIG=$(PG_CONFIG) lacks the files that extensions are built with (pgxs.mk, postgres.h): install the server's development package (on Debian postgresql-server-dev-NN), or name the pg_config of a server in PG_CONFIG)
endif
# Bitcode for the JIT needs the clang that the server was built with.
SERVER_CLANG := $(shell sed -n 's/^CLANG = *//p' $(dir $(PGXS))../Makefile.global)
ifeq ($(shell command -v $(firstword $(SERVER_CLANG) clang)),)
override with_llvm = no
endif
include $(PGXS)

# Server headers are somebody else's: -isystem keeps -Wextra to our code.
override CPPFLAGS := -Isrc $(patsubst -I%,-isystem %,$(CPPFLAGS))
override CPPFLAGS += -DDS_VERSION='"$(shell sed -n "s/^default_version = '\(.*\)'/\1/p" $(EXTENSION).control)"'
# As from PostgreSQL 16 on: what is not PGDLLEXPORT stays within the library.
ifeq ($(findstring visibility,$(CFLAGS_SL_MODULE)),)
override CPPFLAGS += -DPGDLLEXPORT='__attribute__((visibility("default")))'
override CFLAGS += -fvisibility=hidden
endif
override CFLAGS += -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers

$(OBJS): $(wildcard $(addsuffix /*.h,$(SOURCE_DIRS)))

src/store/version.o: $(EXTENSION).control

$(SCRIPT): $(SCRIPT_PARTS)
	cat $^ >$@

with_gateway ?= $(shell $(CC) -isystem $(shell $(PG_CONFIG) --includedir) -include microhttpd.h -include libpq-fe.h \
	-E -x c /dev/null >/dev/null 2>&1 && echo yes || echo no)
GATEWAY_MAKE = $(MAKE) -C gateway PG_CONFIG='$(PG_CONFIG)' CC='$(CC)'

gateway:
	+$(GATEWAY_MAKE) all

install-gateway:
	+$(GATEWAY_MAKE) install DESTDIR='$(DESTDIR)'

uninstall-gateway:
	+$(GATEWAY_MAKE) uninstall DESTDIR='$(DESTDIR)'

ifeq ($(with_gateway),yes)
all: gateway
install: install-gateway
uninstall: uninstall-gateway
else
all: without-gateway
without-gateway:
	@echo 'The HTTP gateway is left out: with_gateway=$(with_gateway)$(if $(filter file,$(origin with_gateway)), (no headers of libmicrohttpd or libpq)).'
.PHONY: without-gateway
endif

clean: clean-gateway
clean-gateway:
	+$(GATEWAY_MAKE) clean

# What PGXN takes: the commit, not the tree.  VPATH builds and servers have no say
# in it.
DISTVERSION = $(shell sed -n 's/^	"version": "\(.*\)",$$/\1/p' META.json)
dist:
	git archive --format=zip --prefix=$(EXTENSION)-$(DISTVERSION)/ \
		--output=$(EXTENSION)-$(DISTVERSION).zip HEAD

.PHONY: gateway install-gateway uninstall-gateway clean-gateway dist
