# Signet - build, test, run. `make help` lists the targets.
MODE ?= release
PREFIX ?= /usr/local
B := build/$(MODE)

# Lowest layer first. A layer may include itself and those before it; check-layers reads this too.
LAYERS := zones/base zones/dns zones keys signer server
PROGRAMS := zones/signet-checkzone keys/signet-keymgr signer/signet-signzone \
	signer/signet-verifyzone server/signetd server/signet-checkconf

CC ?= gcc
CFLAGS_release := -O2 -g
CFLAGS_debug   := -O0 -g3
CFLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan    := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
WARN := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Wundef -fno-common -Werror
VERSION := 0.1.0
CPPFLAGS := -DSIGNET_VERSION=\"$(VERSION)\" -I. -include zones/base/banned.h
ALL_CFLAGS = $(WARN) $(CPPFLAGS) $(CFLAGS_$(MODE)) $(CFLAGS)
LIBS_zones  := -lurcu-qsbr -lpthread
LIBS_keys   := -lcrypto $(LIBS_zones)
LIBS_signer := $(LIBS_keys)
LIBS_server := -levent_core -lyaml $(LIBS_signer)
LIBS = $(LIBS_$(firstword $(subst /, ,$*)))

srcs = $(filter-out $(PROGRAMS:=.c),$(wildcard $(1)/*.c))
archive = $(B)/lib$(subst /,-,$(1)).a
ARCHIVES := $(foreach l,$(LAYERS),$(call archive,$(l)))
# A program or test links the archives of its layer and below, highest first.
upto = $(if $(filter $(1),$(firstword $(2))),$(firstword $(2)),$(firstword $(2)) $(call upto,$(1),$(wordlist 2,99,$(2))))
reverse = $(if $(1),$(call reverse,$(wordlist 2,99,$(1))) $(firstword $(1)))
libs_of = $(foreach l,$(call reverse,$(call upto,$(1),$(LAYERS))),$(call archive,$(l)))

BINS := $(foreach p,$(PROGRAMS),$(if $(wildcard $(p).c),$(B)/bin/$(notdir $(p))))
UNIT_SRCS := $(wildcard $(foreach l,$(LAYERS),test/unit/$(l)/*_test.c))
UNITS := $(UNIT_SRCS:%.c=$(B)/%)

.PHONY: all check clean
.SECONDARY:
all: $(BINS)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

define archive_rule
$(call archive,$(1)): $$(patsubst %.c,$(B)/%.o,$$(call srcs,$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call archive_rule,$(l))))

define program_rule
$(B)/bin/$(notdir $(1)): $(B)/$(1).o $$(call libs_of,$(patsubst %/,%,$(dir $(1))))
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS_$(MODE)) $$(LDFLAGS) $$^ $$(LIBS_$(firstword $(subst /, ,$(1)))) -o $$@
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rule,$(p))))

define unit_rule
$(B)/$(1:.c=): $(B)/$(1:.c=.o) $$(call libs_of,$(patsubst test/unit/%/,%,$(dir $(1))))
	$$(CC) $$(CFLAGS_$(MODE)) $$(LDFLAGS) $$^ -lcheck -lsubunit -lm -lrt $$(LIBS_$(word 3,$(subst /, ,$(1)))) -o $$@
endef
$(foreach t,$(UNIT_SRCS),$(eval $(call unit_rule,$(t))))

check: all $(UNITS)
	@fail=0; for t in $(UNITS); do $$t || fail=1; done; exit $$fail

clean:
	rm -rf build

-include $(shell find $(B) -name '*.d' 2>/dev/null)
