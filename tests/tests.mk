# tests/tests.mk - what is more than `make check`: longer tests, tests of real
# programs, studies, timings. Included by the Makefile.

.PHONY: bench build/release/registers ct e2e faults fuzz latency load model proof \
	sim-accept soak soak-directory study

# Every test at full size, and every invariant broken on purpose (hours).
proof: deps
	@$(MAKE) --no-print-directory all $(OUT)/run-tests
	@tests/proof.sh $(OUT)

# Texts between the two default clients: median and p99; of 200 or more also
# what the simulator expects. With CONTACTS: the first texts of FIRST of a client's
# contacts, with whom nobody has talked. Both are kept in build/latency.json.
latency: all
	@tests/e2e/latency.py $(CURDIR)/$(OUT) build/latency.json \
		$(if $(CONTACTS),first $(CONTACTS) $(FIRST),texts $(TEXTS))
TEXTS ?= 100
FIRST ?= 20

# Kills and restarts of real programs in the middle of a file; a volunteer's way.
e2e: all $(OUT)/libtoy-mlkem.so
	@.ci/deps e2e
	@tests/e2e/kills.sh $(CURDIR)/$(OUT)
	@tests/e2e/operator.sh $(CURDIR)/$(OUT)
	@tests/e2e/admission.sh $(CURDIR)/$(OUT)
	@tests/e2e/page.sh $(CURDIR)/$(OUT)
	@tests/e2e/authorities.sh $(CURDIR)/$(OUT)
	@tests/e2e/idle.sh $(CURDIR)/$(OUT)
	@tests/e2e/contacts.sh $(CURDIR)/$(OUT)
	@tests/e2e/quantum.sh $(CURDIR)/$(OUT) $(CURDIR)/$(OUT)/libtoy-mlkem.so
	@tests/e2e/stalls.py $(CURDIR)/$(OUT)

# A library that stands for a libsodium with ML-KEM-768.
$(OUT)/libtoy-mlkem.so: tests/e2e/toy_sodium.c tests/toy_kem.c tests/toy_kem.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLCFLAGS) -shared -fPIC -fvisibility=hidden -o $@ $(filter %.c,$^) -lsodium

# What people, their machines and their disks do to real programs; ROWS: those whose
# numbers or titles are among these words.
faults: all $(OUT)/run-tests
	@.ci/deps faults
	@tests/faults/run.py $(CURDIR)/$(OUT) $(ROWS)

# The voting, and the mixing of shares, in every state.
model:
	@.ci/deps model
	@tests/model/run.sh build
soak-directory: $(OUT)/run-tests
	@BRUSIO_TEST_EPOCHS=10000 $(OUT)/run-tests 'directory/*'

# The simulator against closed forms and published figures (5 minutes).
sim-accept: all
	@tests/sim_accept.sh $(CURDIR)/$(OUT)
# The study behind the default parameters; its figures in build/study.
study: all
	@tests/study.sh $(CURDIR)/$(OUT) build/study

# A network under churn, SECONDS long: nothing lost, nothing grows.
soak: all
	@tests/e2e/soak.py $(CURDIR)/$(OUT) $(SECONDS) $(SEED)
SECONDS ?= 600

# The other side of tests/independent, which make check runs.
PEERS := $(wildcard tests/independent/*.c)
$(OUT)/independent-peer: $(call obj,$(PEERS) tests/toy_kem.c) $(ARCHIVE) $(SEEDLIB)
	$(if $(V),,@echo '  LD    $@')
	$(Q)$(CC) $(MODELD) $(LDFLAGS) -o $@ $^ $(ALLLDLIBS)

# Timings, as ratios to one crypto_scalarmult of libsodium in the same run;
# ONLY=sphinx: those whose names begin so; BENCH_ROUNDS=31: how often.
BENCHES := $(wildcard tests/bench/bench_*.c)
$(OUT)/bench_%: $(OUT)/tests/bench/bench_%.o $(OUT)/tests/rig.o $(ARCHIVE) $(SEEDLIB)
	$(Q)$(CC) $(MODELD) $(LDFLAGS) -o $@ $^ $(ALLLDLIBS)
$(OUT)/bench_client: LDFLAGS += -Wl,--wrap=client_tick,--wrap=client_frames
bench: all $(BENCHES:tests/bench/%.c=$(OUT)/%)
	@tests/bench/run.sh $(OUT) build/bench.json '$(ONLY)'

# A real relay under attack: what is left to honest links; SCENARIO=flood.
$(OUT)/load_relay: $(OUT)/tests/load/load_relay.o $(OUT)/tests/attack.o \
	$(OUT)/tests/rig.o $(ARCHIVE)
	$(Q)$(CC) $(MODELD) $(LDFLAGS) -o $@ $^ $(ALLLDLIBS)
load: all $(OUT)/load_relay
	@$(OUT)/load_relay $(OUT) $(SCENARIO)

# Do branches or addresses depend on secrets? Under valgrind; and by the machine
# code of the release build for what valgrind cannot run.
$(OUT)/ct: LDFLAGS += -Wl,--wrap=crypto_scalarmult \
	-Wl,--wrap=crypto_aead_xchacha20poly1305_ietf_decrypt
$(OUT)/ct: $(OUT)/tests/ct/ct_main.o $(OUT)/tests/ct/ct_sphinx.o $(ARCHIVE)
	$(Q)$(CC) $(MODELD) $(LDFLAGS) -o $@ $^ $(ALLLDLIBS)
LANES := x25519_ifma8 x25519_ifma4 x25519_avx2
EXTRA_planted := $(EXTRA_x25519_ifma8)
$(OUT)/registers: $(LANES:%=$(OUT)/sphinx/x25519/%.o) $(OUT)/tests/ct/planted.o
	@tests/ct/registers.sh $^
ct:
	@.ci/deps ci
	@$(MAKE) --no-print-directory MODE=ct build/ct/ct
	@tests/ct/run.sh build/ct/ct
	@[ "$$(uname -m)" != x86_64 ] || \
		$(MAKE) --no-print-directory MODE=release build/release/registers

# libFuzzer on parsers and packets, FUZZ_SECONDS long, side by side; what they
# find stays in build/fuzz, new inputs in build/fuzz/corpus.
FUZZ_SECONDS ?= 60
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
build/fuzz/fuzz_%: build/fuzz/tests/fuzz/fuzz_%.o build/fuzz/libbrusio-all.a
	$(Q)$(CC) -fsanitize=fuzzer,address,undefined $(LDFLAGS) -o $@ $^ $(ALLLDLIBS)
fuzz:
	@.ci/deps ci
	@$(MAKE) --no-print-directory MODE=fuzz CC=clang \
		$(FUZZERS:%=build/fuzz/%)
	@tests/fuzz/run.sh build/fuzz $(FUZZ_SECONDS) $(FUZZERS)
