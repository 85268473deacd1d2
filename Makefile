# moongate's build. `make demo` and `make test` are the two commands that matter; `make help` lists the rest.

B        ?= build
PREFIX   ?= /usr/local
DESTDIR  ?=
SECONDS  ?= 60
JOBS     ?= $(shell nproc)
MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# ---- The commands. What needs packages starts make again once they are there, so that pkg-config is asked late enough.

.PHONY: all demo test house unit spec e2e tokens clients agents asan chaos race fuzz fuzz-policy fuzz-tokens bench false-alarms count-table reference fresh install format clean help packages FORCE

#: all          the gateway and the mock provider, optimised, in build/ (the default)
all: $(B)/moongate $(B)/moongate-mock

#: demo         install what is missing, build, start gateway and mock provider, print a curl line that works
demo:
	@.ci/packages build
	@$(MAKE) all
	@B=$(B) luajit examples/demo/run.lua

#: test         install what is missing, build, then house, clients, unit, spec, e2e and tokens: JOBS files at a time (as
#:              many as there are cores)
test:
	@.ci/packages test
	@$(MAKE) tests-built
	@B=$(B) JOBS=$(JOBS) luajit tests/run.lua house clients unit spec e2e tokens

#: house unit spec e2e tokens clients
#:              one part of the tests alone
house unit spec e2e tokens clients:
	@.ci/packages test
	@$(MAKE) tests-built
	@B=$(B) JOBS=$(JOBS) luajit tests/run.lua $@

#: asan         the whole suite under AddressSanitizer, UBSan and LeakSanitizer, in build/asan
asan:
	@.ci/packages test
	@$(MAKE) SAN=1 B=build/asan tests-built
	@ASAN_OPTIONS=detect_stack_use_after_return=1 B=build/asan SAN=1 luajit tests/run.lua house clients unit spec e2e tokens

#: chaos        fleets under load whose gateways and Redis are killed, stopped, emptied, filled, cut off: ROUNDS (20) of up
#:              to three faults, from a SEED; then a silent Redis for a minute
chaos:
	@.ci/packages test
	@$(MAKE) tests-built
	@B=$(B) MOONGATE_CHAOS=$(or $(ROUNDS),20) CHAOS_SEED=$(or $(SEED),$(shell date +%s)) OUTAGE_SECONDS=60 sh -c 'for s in chaos outage; do \
	  luajit /usr/bin/busted -o tests/lib/busted_lines.lua -m "./?.lua" tests/e2e/fleet_$${s}_spec.lua || exit 1; done'

#: race         eight processes that try to approve what is theirs, by the registry and past it, in SQLite and PostgreSQL:
#:              CHANGES (100000) transactions each way, from a SEED
race:
	@.ci/packages test
	@$(MAKE) $(B)/unit/store/test_registry_suite $(B)/unit/store/test_registry_postgres
	@MOONGATE_RACE=$(or $(CHANGES),100000) MOONGATE_SEED=$(or $(SEED),$(shell date +%s)) sh -c '$(B)/unit/store/test_registry_suite && \
	  $(B)/unit/store/test_registry_postgres'

#: agents       coding agents as they come from npm work on a file through the gateway, in a network without anything else
agents:
	@.ci/packages agents
	@$(MAKE) all
	@luajit tests/agents/install.lua $(B)/agents
	@unshare --net $(shell [ "$$(id -u)" = 0 ] || echo --map-root-user) sh -c 'ip link set lo up && exec env B=$(B) AGENTS="$$PWD/$(B)/agents" \
	  luajit /usr/bin/busted -o tests/lib/busted_lines.lua -m "./?.lua" tests/agents/agents_spec.lua' </dev/null

#: fuzz         each parser's fuzzer for SECONDS (60); FUZZ="http sse" picks some
fuzz:
	@.ci/packages fuzz
	@$(MAKE) CLANG=1 B=build/fuzz fuzzers
	@B=build/fuzz sh tests/fuzz/run $(SECONDS) $(FUZZ)

#: fuzz-policy  random policies on random requests for SECONDS (60)
fuzz-policy:
	@.ci/packages test
	@$(MAKE) tests-built
	@B=$(B) sh tests/fuzz/policy $(SECONDS)

#: fuzz-tokens  token ids against tiktoken's: RECORDS (220000) texts of each vocabulary, from a SEED
fuzz-tokens:
	@.ci/packages test
	@$(MAKE) $(B)/tokens/ids
	@B=$(B) luajit tests/tokens/run.lua $(or $(RECORDS),220000) $(or $(SEED),1)

#: bench        the gateway beside nginx and haproxy: a table of ratios; ROWS="history event60k" picks some, ROWS=help
#:              names them
bench:
	@.ci/packages bench
	@$(MAKE) all benches
	@B=$(B) luajit tests/bench/run.lua $(ROWS)

#: false-alarms  what the detectors find in TEXTS (100000) random texts that hold nobody's data, by kind; from a SEED
false-alarms:
	@.ci/packages test
	@$(MAKE) $(B)/bench/alarms
	@$(B)/bench/alarms $(or $(TEXTS),100000) $(or $(SEED),1)

#: count-table  our count of every recorded request's tokens beside its provider's, by family of models
RECORDINGS ?= ../shared/recordings
count-table:
	@.ci/packages test
	@$(MAKE) $(B)/tokens/count_table
	@$(B)/tokens/count_table $(RECORDINGS)

#: reference    write examples/moongate.lua.md, the reference of the configuration, from the rows that read it
reference: all
	@$(B)/moongate help config --markdown > examples/moongate.lua.md

#: fresh        repeat the two commands in a new Debian 12 made by debootstrap (as root)
fresh:
	@sh tests/fresh

#: packages     install the Debian packages that the build and the tests need
packages:
	@.ci/packages test

#: install      binary, policies, examples and systemd unit under DESTDIR and PREFIX
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/moongate $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 755 $(B)/moongate $(DESTDIR)$(PREFIX)/bin/moongate
	cp -R policies examples $(DESTDIR)$(PREFIX)/share/moongate/
	install -m 644 README.md LICENSE $(DESTDIR)$(PREFIX)/share/moongate/
	sed 's|@PREFIX@|$(PREFIX)|g' examples/systemd/moongate.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/moongate.service

#: format       clang-format over every C file
format:
	find core tests -name '*.[ch]' | xargs clang-format -i

#: clean        remove build/
clean:
	rm -rf build

#: help         this list
help:
	@echo "make TARGET   with V=1: every command in full; B=build/x: another build directory"
	@sed -n 's/^#: /  /p' $(firstword $(MAKEFILE_LIST))

# ---- What is compiled with.

# A floor may include its own and those before it (tests/house/floors.lua); a test links no more than that.
FLOORS := base wire net store exchange lua flow testkit ledger admin server cli

CC       := $(if $(CLANG),clang,$(if $(filter default,$(origin CC)),cc,$(CC)))
PKGS     := luajit libevent libcurl jansson openssl sqlite3 libxxhash libpq hiredis
PKG_SAYS := $(shell pkg-config --cflags --libs $(PKGS) 2>/dev/null)
WARN     := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
HARDEN   := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
ifdef CLANG
OPT      := -O1 -g $(SANFLAGS) -fsanitize=fuzzer-no-link
LDSAN    := $(SANFLAGS)
WARN     += -Wno-error
else ifdef SAN
OPT      := -O1 -g $(SANFLAGS)
LDSAN    := $(SANFLAGS)
else
OPT      := -O2 -g -D_FORTIFY_SOURCE=2
endif
ALL_CPPFLAGS := -D_GNU_SOURCE -Icore -I$(B)/gen -include base/banned.h $(filter -I% -D%,$(PKG_SAYS)) $(CPPFLAGS)
ALL_CFLAGS   := -std=c11 $(OPT) $(WARN) $(HARDEN) $(CFLAGS)
ALL_LDFLAGS  := -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack $(LDSAN) $(LDFLAGS)
ALL_LDLIBS   := $(filter-out -I% -D%,$(PKG_SAYS)) -lpthread -lm $(LDLIBS)

Q   := $(if $(V),,@)
SAY  = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

# ---- Memory of the last run: other flags recompile everything, a file that came or went remakes its archive.
# $(call remember,text) rewrites $@ only when the text differs; no shell is started.

same     = $(and $(findstring x$(strip $(1))x,x$(strip $(2))x),$(findstring x$(strip $(2))x,x$(strip $(1))x))
remember = $(if $(call same,$(file <$@),= $(1)),,$(file >$@,= $(1)))

$(B):
	@mkdir -p $@

FLAGS_TEXT := $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(ALL_LDLIBS)
$(B)/flags: FORCE | $(B)
	$(if $(PKG_SAYS),,@echo 'Libraries are missing ($(PKGS)): run "make packages".' >&2; exit 2)
	$(call remember,$(FLAGS_TEXT))

# ---- One archive a floor: a linker error in a test is an upward call that the include test could not see.

MADE_wire := $(B)/gen/vocabulary.o
MADE_store := $(B)/gen/redis_scripts.o $(B)/gen/registry_schema.o
define FLOOR_RULES
OBJS_$(1) := $$(patsubst %.c,$$(B)/%.o,$$(wildcard core/$(1)/*.c core/$(1)/*/*.c))
OBJS += $$(OBJS_$(1))
$$(B)/lib$(1).list: FORCE | $$(B)
	$$(call remember,$$(OBJS_$(1)))
$$(B)/lib$(1).a: $$(OBJS_$(1)) $$(MADE_$(1)) $$(B)/lib$(1).list
	@rm -f $$@
	$$(Q)$$(AR) rcs $$@ $$(OBJS_$(1)) $$(MADE_$(1))
endef
$(foreach f,$(FLOORS),$(eval $(call FLOOR_RULES,$(f))))

# The archives of a floor and all below it, top first, as the linker wants them.
below   = $(if $(filter $(1),$(firstword $(2))),$(1),$(firstword $(2)) $(call below,$(1),$(wordlist 2,99,$(2))))
reverse = $(if $(1),$(call reverse,$(wordlist 2,99,$(1))) $(firstword $(1)))
libs    = $(patsubst %,$(B)/lib%.a,$(call reverse,$(call below,$(1),$(FLOORS))))

COMPILE = $(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@
LINK    = $(Q)$(CC) $(ALL_LDFLAGS) $(filter %.o %.a,$^) $(ALL_LDLIBS) -o $@

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$(COMPILE)

OBJS += $(B)/core/main.o
$(B)/moongate: $(B)/core/main.o $(B)/gen/scripts.o $(call libs,cli)
	$(call SAY,LINK,$@)
	$(LINK)

# scripts/*.lua, compiled into the binary as text (see core/lua/script.h).
SCRIPTS := $(sort $(wildcard scripts/*.lua scripts/*/*.lua))
# What `moongate init` writes; after the scripts, which are looked up at every load.
STARTER := examples/starter
SCRIPTS += $(sort $(wildcard $(STARTER)/* $(STARTER)/*/*.lua $(STARTER)/*/*/*.lua)) policies/README.md policies/cookbook.md
SCRIPTS := $(filter-out $(STARTER)/policies,$(SCRIPTS))
$(B)/scripts.list: FORCE | $(B)
	$(call remember,$(SCRIPTS))
$(B)/gen/scripts.S: $(SCRIPTS) $(B)/scripts.list
	@mkdir -p $(@D)
	@{ echo '.section .note.GNU-stack,"",@progbits'; echo '.section .rodata'; n=0; \
	  for f in $(SCRIPTS); do echo "n$$n: .asciz \"$$f\""; echo "s$$n: .incbin \"$$f\""; echo "e$$n: .byte 0"; n=$$((n+1)); done; \
	  echo '.section .data.rel.ro,"aw"'; echo '.balign 8'; echo '.global script_table'; echo 'script_table:'; n=0; \
	  for f in $(SCRIPTS); do echo ".quad n$$n, s$$n, e$$n - s$$n"; n=$$((n+1)); done; echo '.quad 0, 0, 0'; } > $@
$(B)/gen/scripts.o: $(B)/gen/scripts.S
	$(call SAY,AS,$@)
	$(Q)$(CC) -c $< -o $@

# core/store/counters/redis/*.lua run inside of Redis, each as one text: "--with NAME …" stands for parts/NAME.lua, and so on.
IN_REDIS := core/store/counters/redis
REDIS_SCRIPTS := $(sort $(wildcard $(IN_REDIS)/*.lua))
REDIS_WHOLE := $(REDIS_SCRIPTS:$(IN_REDIS)/%.lua=$(B)/gen/redis/%.lua)
$(B)/redis_scripts.list: FORCE | $(B)
	$(call remember,$(REDIS_SCRIPTS))
$(B)/gen/redis/%.lua: $(IN_REDIS)/%.lua $(wildcard $(IN_REDIS)/parts/*.lua)
	@mkdir -p $(@D)
	@awk '/^--with /{ for (i = 2; i <= NF; i++) while ((getline line < ("$(IN_REDIS)/parts/" $$i ".lua")) > 0) print line; \
	  next } { print }' $< > $@
$(B)/gen/redis_scripts.S: $(REDIS_WHOLE) $(B)/redis_scripts.list
	@{ echo '.section .note.GNU-stack,"",@progbits'; echo '.section .rodata'; \
	  for f in $(REDIS_WHOLE); do n=$$(basename $$f .lua); \
	    echo "n_$$n: .asciz \"$$n\""; echo "s_$$n: .incbin \"$$f\""; echo "e_$$n: .byte 0"; done; \
	  echo '.section .data.rel.ro,"aw"'; echo '.balign 8'; echo '.global redis_script_table'; echo 'redis_script_table:'; \
	  for f in $(REDIS_SCRIPTS); do n=$$(basename $$f .lua); echo ".quad n_$$n, s_$$n, e_$$n - s_$$n"; done; \
	  echo '.quad 0, 0, 0'; } > $@
$(B)/gen/redis_scripts.o: $(B)/gen/redis_scripts.S
	$(call SAY,AS,$@)
	$(Q)$(CC) -c $< -o $@

# The registry's tables, as text.
$(B)/gen/registry_schema.o: core/store/registry/schema.sql
	@mkdir -p $(@D)
	$(call SAY,AS,$@)
	$(Q){ echo '.section .note.GNU-stack,"",@progbits'; echo '.section .rodata'; echo '.global registry_schema_text'; \
	  echo 'registry_schema_text: .incbin "$<"'; echo '.byte 0'; } > $(@:.o=.S)
	$(Q)$(CC) -c $(@:.o=.S) -o $@

# The public vocabularies' figures become tables in read-only data: nothing is read at start, all processes share the pages.
FIGURES := core/wire/tokens/vocabulary
$(B)/gen/make_tables: $(FIGURES)/make_tables.c core/wire/tokens/table.h
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$(Q)cc -std=c11 -O2 -Wall -Wextra -Werror -Icore $< -o $@
$(B)/gen/%.table: $(FIGURES)/%.pairs $(B)/gen/make_tables
	$(call SAY,TABLE,$@)
	$(Q)$(B)/gen/make_tables pairs $< $@
$(B)/gen/classes.table: $(FIGURES)/classes.txt $(B)/gen/make_tables
	$(Q)$(B)/gen/make_tables classes $< $@
$(B)/gen/vocabulary.o: $(B)/gen/o200k_base.table $(B)/gen/cl100k_base.table $(B)/gen/classes.table
	$(Q){ echo '.section .note.GNU-stack,"",@progbits'; echo '.section .rodata'; \
	  for t in o200k_base cl100k_base; do echo '.balign 4096'; echo ".global vocabulary_$$t"; \
	    echo "vocabulary_$$t: .incbin \"$(B)/gen/$$t.table\""; done; \
	  echo '.balign 64'; echo '.global class_table'; echo 'class_table: .incbin "$(B)/gen/classes.table"'; } > $(@:.o=.S)
	$(Q)$(CC) -c $(@:.o=.S) -o $@

# The mock provider shares nothing but base with the gateway: it is the oracle of the tests.
MOCK_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard tests/mock/*.c))
OBJS += $(MOCK_OBJS)
$(B)/mock.list: FORCE | $(B)
	$(call remember,$(MOCK_OBJS))
$(B)/moongate-mock: $(MOCK_OBJS) $(B)/mock.list $(call libs,base)
	$(call SAY,LINK,$@)
	$(LINK)

# ---- Tests, fuzzers and bench tools in C.

# tests/unit/<floor>/test_<room>.c → build/unit/<floor>/test_<room>, linked with that floor and those below.
define UNIT_RULES
UNITS_$(1) := $$(patsubst tests/unit/%.c,$$(B)/unit/%,$$(wildcard tests/unit/$(1)/test_*.c))
$$(UNITS_$(1)): $$(B)/unit/%: $$(B)/tests/unit/%.o $$(call libs,$(1)) $$(B)/gen/scripts.o
	@mkdir -p $$(@D)
	$$(call SAY,LINK,$$@)
	$$(LINK)
UNITS += $$(UNITS_$(1))
endef
$(foreach f,$(FLOORS),$(eval $(call UNIT_RULES,$(f))))
OBJS += $(patsubst $(B)/unit/%,$(B)/tests/unit/%.o,$(UNITS))

.PHONY: tests-built fuzzers benches
tests-built: all $(UNITS) $(B)/tokens/ids $(B)/preload/clock.so

OBJS += $(B)/tests/tokens/ids.o
$(B)/tokens/ids: $(B)/tests/tokens/ids.o $(call libs,wire)
	@mkdir -p $(@D)
	$(call SAY,LINK,$@)
	$(LINK)

# tests/fuzz/fuzz_<name>.c → build/fuzz/fuzz_<name>; its seeds are tests/fuzz/corpus/<name>/.
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))
OBJS += $(patsubst $(B)/%,$(B)/tests/fuzz/%.o,$(FUZZERS))
fuzzers: $(FUZZERS)
FUZZ_FLOW := $(B)/fuzz_relay
FUZZ_STORE := $(B)/fuzz_sshsig $(B)/fuzz_section
$(filter-out $(FUZZ_FLOW) $(FUZZ_STORE),$(FUZZERS)): $(B)/%: $(B)/tests/fuzz/%.o $(call libs,wire)
	$(call SAY,LINK,$@)
	$(LINK) -fsanitize=fuzzer
$(FUZZ_STORE): $(B)/%: $(B)/tests/fuzz/%.o $(call libs,store)
	$(call SAY,LINK,$@)
	$(LINK) -fsanitize=fuzzer
$(FUZZ_FLOW): $(B)/%: $(B)/tests/fuzz/%.o $(call libs,flow) $(B)/gen/scripts.o
	$(call SAY,LINK,$@)
	$(LINK) -fsanitize=fuzzer

BENCHES := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))
OBJS += $(patsubst $(B)/bench/%,$(B)/tests/bench/%.o,$(BENCHES))
BENCH_HIGH := $(B)/bench/loading $(B)/bench/record $(B)/bench/ship $(B)/bench/feed
$(filter-out $(BENCH_HIGH),$(BENCHES)): $(B)/bench/%: $(B)/tests/bench/%.o $(B)/gen/scripts.o $(call libs,lua)
	@mkdir -p $(@D)
	$(call SAY,LINK,$@)
	$(LINK)
$(BENCH_HIGH): $(B)/bench/%: $(B)/tests/bench/%.o $(B)/gen/scripts.o $(call libs,server)
	@mkdir -p $(@D)
	$(call SAY,LINK,$@)
	$(LINK)
# Laid before programs: to see how long the gateway's loop takes for a turn, to give them another time of day.
PRELOADED = $(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -fPIC -shared $< -ldl -o $@
$(B)/bench/turns.so: tests/bench/preload/turns.c $(B)/flags
	@mkdir -p $(@D)
	$(call SAY,LINK,$@)
	$(PRELOADED)
$(B)/preload/clock.so: tests/e2e/preload/clock.c $(B)/flags
	@mkdir -p $(@D)
	$(call SAY,LINK,$@)
	$(PRELOADED)
benches: $(BENCHES) $(B)/bench/turns.so

OBJS += $(B)/tests/tokens/count_table.o
$(B)/tokens/count_table: $(B)/tests/tokens/count_table.o $(B)/gen/scripts.o $(call libs,lua)
	@mkdir -p $(@D)
	$(call SAY,LINK,$@)
	$(LINK)

-include $(OBJS:.o=.d)
