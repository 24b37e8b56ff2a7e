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
	signer/signet-verifyzone server/signetd server/signet-checkconf

BUILD_PACKAGES := gcc libc6-dev pkg-config libssl-dev libevent-dev liburcu-dev libyaml-dev
TEST_PACKAGES := check libsubunit-dev python3 python3-dnspython python3-cryptography bind9 bind9-utils bind9-dnsutils \
	bind9-host knot knot-dnsutils knot-dnssecutils nsd unbound ldnsutils validns dnsperf
TOOL_PACKAGES := clang clang-format clang-tidy libclang-rt-14-dev cppcheck

CC ?= gcc
# popcnt is what the tree's branches are indexed with.
ARCH := $(if $(filter x86_64,$(shell uname -m)),-march=x86-64-v2)
CFLAGS_release := -O2 -g
CFLAGS_debug   := -O0 -g3
CFLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan    := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
CFLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Wundef -fno-common -Werror
CPPFLAGS := -D_GNU_SOURCE -DSIGNET_VERSION=\"$(VERSION)\" -I. -include zones/base/banned.h
ALL_CFLAGS = -std=c11 $(ARCH) $(WARN) $(CPPFLAGS) $(CFLAGS_$(MODE)) $(CFLAGS)
LIBS_zones  := -lurcu-qsbr -lpthread
LIBS_keys   := -lcrypto $(LIBS_zones)
LIBS_signer := $(LIBS_keys)
LIBS_server := -levent_core -lyaml $(LIBS_signer)

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
BENCH_SRCS := $(wildcard test/bench/*.c)
BENCHES := $(BENCH_SRCS:%.c=$(B)/%)
PEERS := $(wildcard test/peer/*_test.py)
C_FILES := $(foreach l,$(LAYERS),$(wildcard $(l)/*.[ch])) $(wildcard test/*/*.[ch]) \
	$(UNIT_SRCS)

.PHONY: all help deps test-deps tool-deps check test units replay fuzz bench run demo-poison install \
	format check-format lint check-layers check-headers check-docs clean
.SECONDARY:
.DEFAULT_GOAL := all

all: $(BINS) ## build the programs into build/$(MODE)/bin

help: ## list the targets
	@sed -n 's/^\([a-z_.-]*\):.*## \(.*\)/  \1|\2/p' Makefile | sort | column -t -s '|'
	@echo "  MODE=release|debug|asan|tsan picks the kind of build, FUZZ_SECONDS the time of a fuzz run"

# V=1 shows whole commands.
V ?= 0
say = $(if $(filter 0,$(V)),@printf '  %-5s %s\n' $(1) $(2);)

# --- building ----------------------------------------------------------------------------------

$(B)/%.o: %.c
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
	$$(call say,LD,$$@)$$(CC) $$(CFLAGS_$(MODE)) $$(LDFLAGS) $$^ $(4) $(call libs_of,$(3)) -o $$@
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

# Installs what is missing of $(1), without a word when nothing is.
define install_packages
@missing=$$(for p in $(1); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done); \
if [ -n "$$missing" ]; then \
	echo "installing:" $$missing; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	export DEBIAN_FRONTEND=noninteractive; \
	policy=/usr/sbin/policy-rc.d; made=; \
	if [ ! -e $$policy ]; then printf '#!/bin/sh\nexit 101\n' | $$sudo tee $$policy >/dev/null; \
		$$sudo chmod 755 $$policy; made=1; fi; \
	$$sudo apt-get -q update && $$sudo apt-get -q install -y --no-install-recommends $$missing; status=$$?; \
	[ -z "$$made" ] || $$sudo rm -f $$policy; exit $$status; \
fi
endef

deps: ## install what the build needs (apt-get)
	$(call install_packages,$(BUILD_PACKAGES))

test-deps: deps ## install what the tests need: Check, and the peers
	$(call install_packages,$(TEST_PACKAGES))

tool-deps: ## install compilers and linters for fuzz, format and lint
	$(call install_packages,$(TOOL_PACKAGES))

# --- tests -------------------------------------------------------------------------------------

units: $(UNITS)

check: all units check-layers check-docs ## unit tests and house rules: no peer needed, under a minute
	@test/run $(UNITS)

test: ## everything CI runs: installs what is missing, then unit tests, fuzz seeds and peers
	@$(MAKE) --no-print-directory test-deps
	@$(MAKE) --no-print-directory all units $(REPLAYS) check-layers check-docs
	@BIN=$(abspath $(B))/bin test/run $(UNITS) $(REPLAYS) $(PEERS)

replay: $(REPLAYS) ## run the fuzz targets over their seeds
	@test/run $(REPLAYS)

fuzz: ## fuzz each target for FUZZ_SECONDS with clang's libFuzzer
	@$(MAKE) --no-print-directory MODE=fuzz CC=clang $(FUZZERS)
	@for f in $(FUZZERS); do \
		name=$$(basename $$f _fuzz); echo "== $$name"; \
		mkdir -p build/fuzz/corpus/$$name test/fuzz/seeds/$$name; \
		$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=4096 -verbosity=0 \
			-artifact_prefix=build/fuzz/$$name- build/fuzz/corpus/$$name test/fuzz/seeds/$$name || exit 1; \
	done

bench: all $(BENCHES) ## measure, side by side with OpenSSL and the peers
	@BIN=$(abspath $(B))/bin test/bench/run

# --- trying it out -----------------------------------------------------------------------------

run: ## make keys, sign the example zone, serve it on port 8853 until Ctrl-C
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory all
	@BIN=$(abspath $(B))/bin test/demo/run.sh

demo-poison: ## see a validating resolver refuse a forged answer
	@$(MAKE) --no-print-directory test-deps
	@$(MAKE) --no-print-directory all
	@BIN=$(abspath $(B))/bin test/demo/poison.sh

install: all ## install programs and man pages below DESTDIR and PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin
	install -m 755 $(filter-out %/signetd,$(BINS)) $(DESTDIR)$(PREFIX)/bin
	$(if $(filter %/signetd,$(BINS)),install -m 755 $(filter %/signetd,$(BINS)) $(DESTDIR)$(PREFIX)/sbin)
	for m in man/*.[578]; do s=$${m##*.}; install -d $(DESTDIR)$(PREFIX)/share/man/man$$s; \
		install -m 644 $$m $(DESTDIR)$(PREFIX)/share/man/man$$s; done

# --- house rules -------------------------------------------------------------------------------

format: ## lay out all C files by .clang-format
	clang-format -i $(C_FILES)

check-format: ## would `make format` change anything?
	clang-format --dry-run --Werror $(C_FILES)

lint: tool-deps ## clang-tidy and cppcheck
	clang-tidy --quiet $(filter %.c,$(foreach l,$(LAYERS),$(wildcard $(l)/*.c))) -- -std=c11 $(CPPFLAGS)
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
		--suppress=ctuuninitvar --error-exitcode=1 -I. -D_GNU_SOURCE -DSIGNET_VERSION='""' $(LAYERS)

check-layers: ## does every file include only its own layer and those below?
	@test/check-layers $(LAYERS)

check-headers: ## does every header compile alone?
	@for h in $(filter %.h,$(C_FILES)); do \
		$(CC) -std=c11 $(WARN) $(CPPFLAGS) -x c -fsyntax-only -include $$h /dev/null || exit 1; done

check-docs: all ## are all options in the man pages, and no others?
	@BIN=$(B)/bin test/check-docs

compile_commands.json: $(wildcard $(LAYERS:=/*.c)) ## for clangd and other tools
	@{ echo '['; first=1; for f in $(filter %.c,$(C_FILES)); do \
		[ $$first = 1 ] || echo ','; first=0; \
		printf '{"directory":"%s","file":"%s","command":"cc -std=c11 %s -c %s"}' \
			'$(CURDIR)' $$f '$(subst ",\",$(subst \,\\,$(WARN) $(CPPFLAGS)))' $$f; \
	done; echo ']'; } > $@

clean: ## remove what was built
	rm -rf build compile_commands.json

-include $(shell find $(B) -name '*.d' 2>/dev/null)
