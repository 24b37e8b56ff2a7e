# Signet - build, test, run. `make help` lists the targets.
#
# One file, no configure step. Sources are found by wildcard, objects live in build/$(MODE)/, and each
# layer has an archive of its own, so that a program or test cannot link what its layer may not use.

VERSION := 0.1.0
MODE ?= release
PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 60
B := build/$(MODE)

# Lowest layer first. A layer may include itself and those before it; test/check-layers reads this.
LAYERS := zones/base zones/dns zones keys signer server
PROGRAMS := zones/signet-checkzone keys/signet-keymgr signer/signet-signzone \
	signer/signet-verifyzone server/signetd server/signetctl server/signet-checkconf

BUILD_PACKAGES := gcc libc6-dev libssl-dev libevent-dev liburcu-dev liblmdb-dev libyaml-dev libjansson-dev
TEST_PACKAGES := check libsubunit-dev openssl python3 python3-dnspython python3-cryptography bind9 \
	bind9-utils bind9-dnsutils bind9-host knot knot-dnsutils knot-dnssecutils nsd unbound ldnsutils \
	validns dnsviz dnsperf lego certbot python3-certbot-dns-rfc2136 kea-dhcp-ddns-server
BENCH_PACKAGES := python3 bind9 bind9-utils knot knot-dnssecutils nsd ldnsutils yadifa gdnsd strace util-linux
TOOL_PACKAGES := clang clang-format clang-tidy libclang-rt-14-dev cppcheck

ifeq ($(origin CC),default)
CC := gcc
endif
# popcnt is what the tree's branches are indexed with.
ARCH := $(if $(filter x86_64,$(shell uname -m)),-march=x86-64-v2)
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
CFLAGS_debug   := -O0 -g3
CFLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan    := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
# Every block is a heap block of its own and every buffer moves when it may, for asan to see.
CFLAGS_stress  := $(CFLAGS_asan) -DSIGNET_STRESS
CFLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS_release := -Wl,-z,relro,-z,now
ifndef CFLAGS_$(MODE)
$(error MODE is release, debug, asan, tsan or stress, not "$(MODE)")
endif
WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Wundef -fno-common -Werror
CPPFLAGS := -D_GNU_SOURCE -DSIGNET_VERSION=\"$(VERSION)\" -I. -include zones/base/banned.h
ALL_CFLAGS = -std=c11 $(ARCH) $(WARN) $(CPPFLAGS) $(CFLAGS_$(MODE)) $(CFLAGS)
LIBS_zones  := -llmdb -lurcu-qsbr -lpthread
LIBS_keys   := -lcrypto $(LIBS_zones)
LIBS_signer := $(LIBS_keys)
LIBS_server := -levent_core -lyaml -ljansson -lssl $(LIBS_signer)

# --- what belongs together ---------------------------------------------------------------------

reverse = $(if $(1),$(call reverse,$(wordlist 2,99,$(1))) $(firstword $(1)))
upto = $(if $(filter $(1),$(firstword $(2))),$(firstword $(2)),$(firstword $(2)) \
	$(call upto,$(1),$(wordlist 2,99,$(2))))
archive = $(B)/lib$(subst /,-,$(1)).a
layer_objects = $(patsubst %.c,$(B)/%.o,$(filter-out $(PROGRAMS:=.c),$(wildcard $(1)/*.c)))
# The archives of a layer and of those below it, highest first, as the linker wants them.
archives_of = $(foreach l,$(call reverse,$(call upto,$(1),$(LAYERS))),$(call archive,$(l)))
libs_of = $(LIBS_$(firstword $(subst /, ,$(1))))

BINS := $(foreach p,$(PROGRAMS),$(if $(wildcard $(p).c),$(B)/bin/$(notdir $(p))))
UNIT_SRCS := $(foreach l,$(LAYERS),$(wildcard test/unit/$(l)/*_test.c))
UNITS := $(UNIT_SRCS:%.c=$(B)/%)
FUZZ_SRCS := $(wildcard test/fuzz/*_fuzz.c)
REPLAYS := $(FUZZ_SRCS:%.c=$(B)/%_replay)
FUZZERS := $(FUZZ_SRCS:%.c=build/fuzz/%)
# count.c is preloaded into what is measured; the others are programs.
BENCH_SRCS := $(filter-out test/bench/count.c,$(wildcard test/bench/*.c))
BENCHES := $(BENCH_SRCS:%.c=$(B)/%) $(B)/test/bench/count.so
PEERS := $(wildcard test/peer/*_test.py)
C_FILES := $(foreach l,$(LAYERS),$(wildcard $(l)/*.[ch])) $(wildcard test/*/*.[ch]) \
	$(wildcard test/unit/*/*.h) \
	$(UNIT_SRCS)
HEADERS := $(filter %.h,$(C_FILES))
HEADER_STAMPS := $(foreach c,gcc clang,$(if $(shell command -v $(c)), \
	$(HEADERS:%=build/headers/$(c)/%.ok)))
SOURCE_STAMPS := $(if $(shell command -v clang),$(patsubst %,build/clang/%.ok, \
	$(foreach l,$(LAYERS),$(wildcard $(l)/*.c))))
# House rules that are checked like tests.
RULES := test/check-layers test/check-docs
export LAYERS
# In the environment of every test program.
TEST_ENV := BIN=$(abspath $(B))/bin MODE=$(MODE)

.PHONY: all help deps test-deps bench-deps tool-deps check test units differential soak model crash replay fuzz bench bench-programs \
	run demo-poison install \
	format check-format lint tidy cppcheck check-layers check-headers check-clang check-docs clean
.SECONDARY:
.DEFAULT_GOAL := all

all: $(BINS) ## build the programs into build/$(MODE)/bin

help: ## list the targets
	@sed -n 's/^\([a-z_.-]*\):.*## \(.*\)/\1|\2/p' Makefile | sort | \
		while IFS='|' read -r target what; do printf '  %-22s %s\n' "$$target" "$$what"; done
	@echo
	@echo '  MODE=release|debug|asan|tsan|stress  kind of build, each in build/$$MODE; goes with all targets'
	@echo '  TOPICS="read sign-nsec ..."          what of the offline tools make bench measures'
	@echo '  FUZZ_SECONDS=60 FUZZ_TARGETS="..."   how long and what to fuzz'
	@echo '  DESTDIR= PREFIX=/usr/local           where to install'
	@echo '  V=1                                  show whole commands'

# V=1 shows whole commands.
V ?= 0
say = $(if $(filter 0,$(V)),@printf '  %-5s %s\n' $(1) $(2);)

# --- building ----------------------------------------------------------------------------------

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

define archive_rule
$(call archive,$(1)): $(call layer_objects,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(call say,AR,$$@)$(AR) rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call archive_rule,$(l))))

# $(1): what is linked; $(2): its object; $(3): its layer; $(4): more libraries
define link_rule
$(1): $(2) $(call archives_of,$(3))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)$$(CC) $$(CFLAGS_$(MODE)) $$(LDFLAGS_$(MODE)) $$(LDFLAGS) $$^ $(4) $(call libs_of,$(3)) -o $$@
endef
layer_of = $(patsubst %/,%,$(dir $(1)))
$(foreach p,$(PROGRAMS),$(eval \
	$(call link_rule,$(B)/bin/$(notdir $(p)),$(B)/$(p).o,$(call layer_of,$(p)))))
$(foreach t,$(UNIT_SRCS),$(eval \
	$(call link_rule,$(B)/$(t:.c=),$(B)/$(t:.c=.o),$(call layer_of,$(t:test/unit/%=%)),-lcheck -lsubunit -lm -lrt)))
$(foreach t,$(FUZZ_SRCS),$(eval \
	$(call link_rule,$(B)/$(t:.c=_replay),$(B)/$(t:.c=.o) $(B)/test/fuzz/replay.o,server)))
$(foreach t,$(BENCH_SRCS),$(eval $(call link_rule,$(B)/$(t:.c=),$(B)/$(t:.c=.o),server)))
$(foreach t,$(FUZZ_SRCS),$(eval \
	$(call link_rule,build/fuzz/$(t:.c=),build/fuzz/$(t:.c=.o),server,-fsanitize=fuzzer)))

# --- packages ----------------------------------------------------------------------------------

# Installs what is missing of $(1), without a word when nothing is. Debian starts the daemons that it
# installs, now and at the next boot; nobody asked for that.
define install_packages
@missing=$$(for p in $(1); do echo $$p; done | sort -u | while read -r p; do \
	dpkg-query -W -f '$${db:Status-Status}\n' $$p 2>/dev/null | grep -qx installed || echo $$p; done); \
[ -z "$$missing" ] && exit 0; \
echo "installing:" $$missing; \
sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
policy=/usr/sbin/policy-rc.d; made=; status=0; \
if [ ! -e $$policy ]; then \
	made=1; printf '#!/bin/sh\nexit 101\n' | $$sudo tee $$policy >/dev/null; $$sudo chmod 755 $$policy; \
fi; \
{ $$sudo apt-get -q update && $$sudo env DEBIAN_FRONTEND=noninteractive \
	apt-get -q install -y --no-install-recommends $$missing; } || status=$$?; \
[ -z "$$made" ] || $$sudo rm -f $$policy; \
for d in bind9:named knot:knot nsd:nsd unbound:unbound yadifa:yadifa gdnsd:gdnsd \
		kea-dhcp-ddns-server:kea-dhcp-ddns-server certbot:certbot.timer; do \
	if echo $$missing | grep -qw $${d%:*} && command -v systemctl >/dev/null; then \
		$$sudo systemctl -q disable $${d#*:} 2>/dev/null || :; \
	fi; \
done; \
[ $$status = 0 ] || echo "apt-get failed: install these by hand, or see what it said above"; \
exit $$status
endef

deps: ## install what the build needs (apt-get)
	$(call install_packages,$(BUILD_PACKAGES))

test-deps: ## install what build and tests need: Check, and the peers
	$(call install_packages,$(BUILD_PACKAGES) $(TEST_PACKAGES))

bench-deps: ## install what `make bench` measures beside ours
	$(call install_packages,$(BUILD_PACKAGES) $(BENCH_PACKAGES))

tool-deps: ## install what fuzz, format and lint need
	$(call install_packages,$(BUILD_PACKAGES) $(TOOL_PACKAGES))

# --- tests -------------------------------------------------------------------------------------

# A make within make: on all cores, unless who called said how many.
parallel = $(MAKE) --no-print-directory $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

units: $(UNITS)

check: all units check-headers check-clang ## unit tests and house rules: no peer needed, under a minute
	@$(TEST_ENV) test/run $(RULES) $(UNITS)

test: ## everything CI runs: installs what is missing, then unit tests, fuzz seeds and peers
	@$(MAKE) --no-print-directory test-deps
	+@$(parallel) all units check-headers check-clang $(REPLAYS)
	@$(TEST_ENV) test/run $(RULES) $(UNITS) $(REPLAYS) $(PEERS)

differential: ## ask signetd, BIND, Knot and NSD 80,000 questions each, and compare (make test asks 10,000)
	@$(MAKE) --no-print-directory test-deps
	+@$(parallel) all
	@QUESTIONS=20000 VERBOSE=1 $(TEST_ENV) test/run test/peer/differential_test.py

SOAK_PACKETS ?= 1000000
soak: ## send a million hostile packets to signetd; MODE=asan sees more
	@$(MAKE) --no-print-directory test-deps
	+@$(parallel) all
	@PACKETS=$(SOAK_PACKETS) VERBOSE=1 $(TEST_ENV) test/run test/peer/hostile_test.py

MODEL_UPDATES ?= 100000
model: ## compare 100,000 random updates with a model, with zones signed from scratch, and with what secondaries have of them (make test takes 2,000 and 600)
	@$(MAKE) --no-print-directory test-deps
	+@$(parallel) all
	@UPDATES=$(MODEL_UPDATES) LIMIT=7200 VERBOSE=1 $(TEST_ENV) test/run test/peer/model_test.py test/peer/xfr_model_test.py

crash: ## kill signetd 500 times each under updates and under transfers in, and let each call that writes fail (make test: 15 and 10 times, and every 40th)
	@$(MAKE) --no-print-directory test-deps
	+@$(parallel) all
	@CRASHES=500 FAULT_STEP=1 LIMIT=7200 VERBOSE=1 $(TEST_ENV) test/run test/peer/crash_test.py test/peer/xfr_crash_test.py

replay: $(REPLAYS) ## run the fuzz targets over their seeds, and over mutations of them
	@$(TEST_ENV) test/run $(REPLAYS)

FUZZ_TARGETS ?= $(FUZZ_SRCS:test/fuzz/%_fuzz.c=%)
fuzz: ## fuzz each target for FUZZ_SECONDS with clang's libFuzzer
	@$(MAKE) --no-print-directory tool-deps
	+@$(parallel) MODE=fuzz CC=clang $(FUZZ_TARGETS:%=build/fuzz/test/fuzz/%_fuzz)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) test/fuzz/run $(FUZZ_TARGETS)

bench: ## measure, side by side with OpenSSL and the peers; test/bench/offline, query, load, update, xfr_out, xfr_in and secondaries have parts
	@$(MAKE) --no-print-directory bench-deps
	+@$(parallel) bench-programs
	@failed=; for part in "offline $(TOPICS)" "query --part all" load update xfr_out xfr_in secondaries; do \
		$(TEST_ENV) test/bench/$$part || failed=1; \
	done; [ -z "$$failed" ]

bench-programs: all $(BENCHES) ## build what measures

$(B)/test/bench/count.so: test/bench/count.c Makefile
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) -fPIC -shared $< -o $@

# --- trying it out -----------------------------------------------------------------------------

run: ## make keys, sign the example zone, serve it on port 8853 until Ctrl-C
	@$(MAKE) --no-print-directory deps
	+@$(parallel) all
	@$(TEST_ENV) test/demo/run.sh

demo-poison: ## see a validating resolver refuse a forged answer
	@$(MAKE) --no-print-directory test-deps
	+@$(parallel) all
	@$(TEST_ENV) test/demo/poison.sh

install: all ## install programs and man pages below DESTDIR and PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin
	install -m 755 $(filter-out %/signetd,$(BINS)) $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(filter %/signetd,$(BINS)) $(DESTDIR)$(PREFIX)/sbin
	for m in man/*.[1578]; do s=$(DESTDIR)$(PREFIX)/share/man/man$${m##*.}; \
		install -d $$s && install -m 644 $$m $$s || exit 1; done

# --- house rules -------------------------------------------------------------------------------

format: tool-deps ## lay out all C files by .clang-format
	@clang-format -i $(C_FILES)

check-format: tool-deps ## would `make format` change anything?
	@clang-format --dry-run --Werror $(C_FILES)

lint: tool-deps ## clang-tidy and cppcheck
	+@$(parallel) -k tidy cppcheck

TIDY_STAMPS := $(patsubst %,build/tidy/%.ok,$(filter-out test/%,$(filter %.c,$(C_FILES))))
tidy: $(TIDY_STAMPS)

build/tidy/%.ok: % $(HEADERS) .clang-tidy
	@mkdir -p $(@D)
	$(call say,TIDY,$<)clang-tidy --quiet $< -- -std=c11 $(ARCH) $(CPPFLAGS) 2>/dev/null
	@touch $@

cppcheck:
	@cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr -j2 \
		--suppress=ctuuninitvar --error-exitcode=1 --library=bsd -I. -D_GNU_SOURCE -DSIGNET_VERSION='""' $(LAYERS)

check-layers: ## does every file include only what its layer may?
	@test/check-layers

check-headers: $(HEADER_STAMPS) ## does every header compile alone, with gcc and clang?

define header_rule
build/headers/$(1)/%.ok: % Makefile
	@mkdir -p $$(@D)
	$$(call say,HDR,$$<)$(1) -std=c11 $(ARCH) $(WARN) $(CPPFLAGS) -x c -fsyntax-only -include $$< \
		-MMD -MP -MF $$@.d -MT $$@ /dev/null
	@touch $$@
endef
$(foreach c,gcc clang,$(eval $(call header_rule,$(c))))

check-clang: $(SOURCE_STAMPS) ## do the sources compile with clang, too (where it is installed)?

build/clang/%.ok: % Makefile
	@mkdir -p $(@D)
	$(call say,CLANG,$<)clang -std=c11 $(ARCH) $(WARN) $(CPPFLAGS) -fsyntax-only -MMD -MP -MF $@.d -MT $@ $<
	@touch $@

check-docs: all ## are all options in the man pages, and no others?
	@$(TEST_ENV) test/check-docs

# The version is a string in quotes for the compiler; tools do without.
compile_commands.json: $(foreach l,$(LAYERS),$(wildcard $(l)/*.c)) Makefile ## for clangd and other tools
	@{ sep='['; for f in $(filter %.c,$(C_FILES)); do \
		printf '%s\n{"directory": "%s", "file": "%s", "command": "cc -std=c11 -D_GNU_SOURCE -DSIGNET_VERSION=0 -I. -include zones/base/banned.h -c %s"}' \
			"$$sep" '$(CURDIR)' $$f $$f; sep=,; \
	done; printf '\n]\n'; } > $@

clean: ## remove what was built
	rm -rf build compile_commands.json

-include $(shell find $(B) build/headers build/clang -name '*.d' 2>/dev/null)
