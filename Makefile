# Brusio.  `make demo` shows the main job, `make check` runs all tests; both
# install what is missing first.  `make help` lists the rest.
#
# Objects live under build/$(MODE).  The sources of every folder and of the
# drawers in it go into one archive, but for each main.c; every program is one of
# these linked against it.  The seeded random generator has an archive of its
# own, which daemons never see.

MODE    ?= release
CC      ?= gcc
AR      ?= ar
PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
MANDIR  ?= $(PREFIX)/share/man
UNITDIR ?= $(PREFIX)/lib/systemd/system
USERUNITDIR ?= $(PREFIX)/lib/systemd/user
DOCDIR  ?= $(PREFIX)/share/doc/brusio
DESTDIR ?=
V       ?=
WERROR  ?= $(if $(CI),-Werror)
Q       := $(if $(V),,@)

OUT := build/$(MODE)
VERSION  := $(shell sed -n 's/^.define BRUSIO_VERSION "\(.*\)"/\1/p' lib/version.h)
SONUMBER := 0
PKGS := libsodium libcrypto libssl libevent libevent_pthreads jansson zlib \
	sqlite3 libqrencode

WARN := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla $(WERROR)
BASE := -std=c11 -D_GNU_SOURCE -I. -g -fPIC \
	-fno-strict-aliasing -pthread
HARD := -fstack-protector-strong -fstack-clash-protection
LDHARD := -pie -Wl,-z,relro,-z,now,-z,noexecstack

ifeq ($(MODE),release)
CFLAGS ?= -O2
MODEFLAGS := $(HARD) -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
MODELD := $(LDHARD)
else ifeq ($(MODE),debug)
CFLAGS ?= -O0
MODEFLAGS := -DBRUSIO_DEBUG
else ifeq ($(MODE),asan)
CFLAGS ?= -O1
MODEFLAGS := -DBRUSIO_DEBUG -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined
MODELD := -fsanitize=address,undefined
else ifeq ($(MODE),tsan)
CFLAGS ?= -O1
MODEFLAGS := -DBRUSIO_DEBUG -fno-omit-frame-pointer -fsanitize=thread
MODELD := -fsanitize=thread
else ifeq ($(MODE),cov)
CFLAGS ?= -O0
MODEFLAGS := --coverage
MODELD := --coverage
else ifeq ($(MODE),ct)
CFLAGS ?= -O2
MODEFLAGS := $(HARD) -DBRUSIO_CT -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
MODELD := $(LDHARD)
else ifeq ($(MODE),fuzz)
CFLAGS ?= -O1
MODEFLAGS := -DBRUSIO_FUZZ -fno-omit-frame-pointer \
	-fsanitize=fuzzer-no-link,address,undefined
MODELD := -fsanitize=address,undefined
else
$(error MODE is one of release, debug, asan, tsan, cov, ct, fuzz; not '$(MODE)')
endif

PKGCFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKGLIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
ALLCFLAGS = $(BASE) $(WARN) $(MODEFLAGS) $(PKGCFLAGS) $(CFLAGS)
ALLLDLIBS = $(PKGLIBS) -lm -pthread

FOLDERS := lib sphinx network directory relay client sim testnet
SEEDED  := lib/rng_seeded.c lib/secret_plain.c
FOUND   := $(sort $(shell find $(FOLDERS) -name '*.c'))
SRCS    := $(filter-out %/main.c $(SEEDED),$(FOUND))
TESTS   := $(sort $(wildcard tests/unit/test_*.c tests/scenario/test_*.c \
	tests/vectors/test_*.c tests/fuzz/test_*.c))
HELPERS := $(wildcard tests/*.c tests/fuzz/fuzz_*.c)
MAINS   := $(filter %/main.c,$(FOUND))

# sphinx/tool/main.c, or main.c in any drawer of sphinx/ -> brusio-sphinx;
# testnet/main.c -> brusio-testnet
progname = brusio-$(firstword $(subst /, ,$1))
PROGS := $(strip $(foreach m,$(MAINS),$(call progname,$m)))
# Only these may be reproducible from a seed.
SEEDED_PROGS := brusio-sphinx brusio-sim

# One binary for every x86-64: only these files are for what they are named
# after. The ladders need the scheduler before registers are given out; calls
# within a file keep to the rules for all calls, so that tests/ct can follow.
ifneq ($(filter x86_64-%,$(shell $(CC) -dumpmachine 2>/dev/null)),)
LADDER := -O3 $(if $(findstring clang,$(CC)),,-fschedule-insns \
	-fsched-pressure -fno-ipa-ra)
EXTRA_x25519_ifma8 := -mavx512f -mavx512dq -mavx512vl -mavx512ifma $(LADDER)
EXTRA_x25519_ifma4 := $(EXTRA_x25519_ifma8)
EXTRA_x25519_avx2 := -mavx2 $(LADDER)
endif

obj = $(patsubst %.c,$(OUT)/%.o,$1)
ARCHIVE := $(OUT)/libbrusio-all.a
SEEDLIB := $(OUT)/libbrusio-seeded.a
include sphinx/package.mk
include doc/pages/pages.mk
include tests/tests.mk

.DEFAULT_GOAL := all
.PHONY: all check check-arm64 check-asan check-quick check-threads check-trixie \
	check-tsan \
	ci circles clean cov-report demo deps deps-build format format-check help \
	install layers lint lint-files tools uninstall

all: $(PROGS:%=$(OUT)/%) libs pages

help:
	@echo 'make            build all programs into $(OUT)'
	@echo 'make deps-build install what that needs, from the distribution'
	@echo 'make demo       a local network carries a text and a file'
	@echo 'make check      every test; MODE=asan|tsan|cov for other builds'
	@echo 'make proof      the same at full size, and invariants broken on purpose:'
	@echo '                hours; PART=1/3 does a third of it'
	@echo 'make bench      timings, also in build/bench.json; ONLY=sphinx'
	@echo 'make latency    100 texts over a local network: median, p99;'
	@echo '                with CONTACTS=50 FIRST=20 first texts of contacts'
	@echo 'make load       a relay under attack: what is left to honest links'
	@echo 'make fuzz       libFuzzer; FUZZ_SECONDS=60'
	@echo 'make ct         do branches or addresses depend on secrets?'
	@echo 'make libs       libbrusio-sphinx, shared and static'
	@echo 'make check-trixie  every test inside a Debian 13 root'
	@echo 'make check-arm64   the packet cross-built, its tests under qemu'
	@echo 'make e2e        kills and restarts of real programs'
	@echo 'make faults     what people and machines do to programs; ROWS=R5'
	@echo 'make soak       a network under churn; SECONDS=600'
	@echo 'make model      spin on the authorities'\'' voting'
	@echo 'make soak-directory  10,000 epochs of authorities among faults'
	@echo 'make sim-accept the simulator against closed forms'
	@echo 'make study      the figures of doc/PARAMETERS.md'
	@echo 'make layers     who includes whom, and that the check can fail'
	@echo 'make circles    no file uses one that uses it; likewise'
	@echo 'make cov-report tests under gcov, coverage of the parsers'
	@echo 'make lint       clang-tidy, and mandoc for man pages'
	@echo 'make format-check  clang-format'
	@echo 'make install    DESTDIR=, PREFIX=$(PREFIX)'

# The main job, shown: real programs carry a text and a file.
demo: deps-build
	@$(MAKE) --no-print-directory all
	@tests/e2e/demo.sh $(CURDIR)/$(OUT)

deps-build:
	@.ci/deps build
deps:
	@.ci/deps test

# What compiling needs is here, or is named.
tools:
	@{ command -v $(firstword $(CC)) && pkg-config --exists $(PKGS); } \
		>/dev/null 2>&1 || CC='$(CC)' .ci/deps missing
$(OUT)/%.o: %.c | tools
	@mkdir -p $(@D)
	$(if $(V),,@echo '  CC    $<')
	$(Q)$(CC) $(ALLCFLAGS) $(EXTRA_$(notdir $*)) -MMD -MP -c -o $@ $<

$(ARCHIVE): $(call obj,$(SRCS))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^
$(SEEDLIB): $(call obj,$(SEEDED))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

define program_rule
$$(OUT)/$(strip $(call progname,$1)): $$(call obj,$1) $$(ARCHIVE) \
	$(if $(filter $(call progname,$1),$(SEEDED_PROGS)),$$(SEEDLIB))
	$$(if $$(V),,@echo '  LD    $$@')
	$$(Q)$$(CC) $$(MODELD) $$(LDFLAGS) -o $$@ $$^ $$(ALLLDLIBS)
endef
$(foreach m,$(MAINS),$(eval $(call program_rule,$m)))

# One runner for every suite: its list of modules is made from the file names.
$(OUT)/tests/list.c: Makefile $(TESTS)
	@mkdir -p $(@D)
	@{ echo '#include "tests/runner.h"'; \
	for t in $(basename $(notdir $(TESTS))); do \
	echo "extern const struct CMUnitTest $$t[]; extern const size_t $${t}_len;"; \
	done; echo 'void'; echo 'test_list(void (*add)(const char *, const struct CMUnitTest *, size_t)) {'; \
	for t in $(basename $(notdir $(TESTS))); do \
	echo "    add(\"$${t#test_}\", $$t, $${t}_len);"; done; echo '}'; } >$@
$(OUT)/tests/list.o: $(OUT)/tests/list.c
	$(Q)$(CC) $(ALLCFLAGS) -c -o $@ $<
$(OUT)/run-tests: LDFLAGS += -Wl,--wrap=letter_seal
$(OUT)/run-tests: $(call obj,$(TESTS) $(HELPERS)) $(OUT)/tests/list.o \
	$(ARCHIVE) $(SEEDLIB)
	$(if $(V),,@echo '  LD    $@')
	$(Q)$(CC) $(MODELD) $(LDFLAGS) -o $@ $^ $(ALLLDLIBS) -lcmocka

# The checks that need no network come first; the runner's summary is last.
check: deps
	@$(MAKE) --no-print-directory check-quick
check-quick: all $(OUT)/run-tests $(OUT)/independent-peer
	@$(MAKE) --no-print-directory layers
	@$(MAKE) --no-print-directory circles
	@tests/check-links.sh $(OUT)
	$(if $(filter release debug,$(MODE)),@tests/check-pure.sh $(OUT) && \
		CC='$(CC)' tests/pure-planted.sh $(OUT))
	@tests/pages.py $(OUT)
	@tests/package.sh $(MODE)
	@tests/systemd.sh
	@tests/cover.sh $(OUT)
	@tests/sim_cli.sh $(OUT)
	@tests/independent/run.py $(OUT) --seed $${BRUSIO_TEST_SEED:-1}
	@tests/invariants.sh --texts
	@tests/run.sh $(OUT)
# The same inside Debian 13, with another compiler, libsodium and OpenSSL.
check-trixie:
	@.ci/deps trixie
	@tests/trixie.sh
# The packet on arm64: cross-built, its tests run under qemu.
check-arm64:
	@.ci/deps arm64
	@tests/arm64.sh
check-asan:
	@$(MAKE) --no-print-directory check MODE=asan
check-tsan:
	@$(MAKE) --no-print-directory check MODE=tsan
# The suites in which threads meet, alone: all of them, of which most are one
# thread in virtual time, take half an hour under tsan.
THREADED := workers restart overload stalled_lines sim_packets loop link http \
	store_sqlite replay lib_core heap_lib times log prover client_socket
check-threads:
	@$(MAKE) --no-print-directory all build/tsan/run-tests MODE=tsan
	@for s in $(THREADED); do \
		echo "threads: $$s"; tests/run.sh build/tsan "$$s/*" || exit 1; done
# Who includes whom; needs no build.
layers:
	@tests/check-layers.sh
	@tests/layers-planted.sh
# No file uses one that uses it, by the symbols of what was built.
circles: all
	@tests/circles.py $(OUT) $(FOLDERS)
	@CC='$(CC)' tests/circles-planted.sh
# Counts of an earlier run would add up.
cov-report:
	@[ ! -d build/cov ] || find build/cov -name '*.gcda' -exec rm -f {} +
	@$(MAKE) --no-print-directory check-quick MODE=cov
	@tests/coverage.sh build/cov

# Rows of faults mostly wait, and the linter computes: both at once take no longer
# than the longer of them.
ci:
	@.ci/deps ci
	@$(MAKE) --no-print-directory format-check
	@mkdir -p build; nice -n 19 $(MAKE) --no-print-directory lint \
		>build/lint.log 2>&1 & \
	$(MAKE) --no-print-directory faults; faults=$$?; \
	wait $$!; lint=$$?; cat build/lint.log; \
	[ "$$faults" = 0 ] && [ "$$lint" = 0 ]
	@$(MAKE) --no-print-directory all CC=clang MODE=debug WERROR=-Werror
	@$(MAKE) --no-print-directory check-quick MODE=asan
	@$(MAKE) --no-print-directory check-threads
	@$(MAKE) --no-print-directory ct
	@tests/e2e/demo.sh $(CURDIR)/build/release

# clang-tidy (.clang-tidy), a file at a time with the flags it is built with.
LINTED := $(patsubst %.c,build/lint/%.ok,$(SRCS) $(SEEDED) $(MAINS))
build/lint/%.ok: %.c .clang-tidy $(shell find $(FOLDERS) -name '*.h')
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LINT  $<')
	$(Q)clang-tidy --quiet $< -- $(BASE) $(PKGCFLAGS) \
		$(filter -m%,$(EXTRA_$(notdir $*))) 2>$@.log || { cat $@.log; exit 1; }
	@rm -f $@.log; touch $@
lint:
	@.ci/deps ci
	@$(MAKE) --no-print-directory lint-pages
	@$(MAKE) --no-print-directory -k -j$$(nproc) lint-files
lint-files: $(LINTED)
CSOURCES = $(shell git ls-files '*.c' '*.h')
format:
	@clang-format -i $(CSOURCES)
format-check:
	@clang-format --dry-run -Werror $(CSOURCES)

UNITS = $(UNITDIR)/brusio-relay.service $(UNITDIR)/brusio-directory.service \
	$(USERUNITDIR)/brusio-client.service
CONTRIB := contrib/prometheus/alerts.yml contrib/grafana/brusio-relay.json
install: all install-libs install-pages
	@mkdir -p $(DESTDIR)$(BINDIR)
	install -m 755 $(PROGS:%=$(OUT)/%) $(DESTDIR)$(BINDIR)
	@mkdir -p $(DESTDIR)$(UNITDIR) $(DESTDIR)$(USERUNITDIR)
	@for u in $(UNITS); do \
		sed 's|@BINDIR@|$(BINDIR)|' contrib/systemd/$${u##*/}.in \
			>$(DESTDIR)$$u; done
	@mkdir -p $(DESTDIR)$(DOCDIR)
	install -m 644 $(CONTRIB) $(DESTDIR)$(DOCDIR)
	@for d in . accept study; do \
		mkdir -p $(DESTDIR)$(DOCDIR)/scenarios/$$d; \
		install -m 644 sim/scenarios/$$d/*.json \
			$(DESTDIR)$(DOCDIR)/scenarios/$$d; done
uninstall: uninstall-libs uninstall-pages
	rm -f $(addprefix $(DESTDIR)$(DOCDIR)/,$(notdir $(CONTRIB)))
	rm -rf $(DESTDIR)$(DOCDIR)/scenarios
	rm -f $(PROGS:%=$(DESTDIR)$(BINDIR)/%) \
		$(UNITS:%=$(DESTDIR)%)

clean:
	rm -rf build

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
