# Everything a fresh Debian or Ubuntu needs is installed by these targets (as root).
#   make demo     a whole mail server with two users, shown working, then taken down
#   make test     every ring of tests, the real engine included
#   make bench    every benchmark; ends with one line each
#   make install  release binary, units, manual page and completions; make uninstall takes them away

SHELL := /bin/bash
PREFIX ?= /usr/local
export PATH := $(PATH):$(HOME)/.cargo/bin

# What stands in for the base image where no registry answers; looked for when the command runs.
ROOTFS = $$([ -f target/base.tar ] && echo --base-rootfs target/base.tar)

.PHONY: demo build test lint bench bless install place uninstall

demo: build
	@.ci/provision engine
	@target/debug/mailctl demo $(ROOTFS) $(ARGS)

build:
	@.ci/provision build
	cargo build --locked

test: build
	@.ci/provision engine test
	@target/debug/mailctl image build --quiet $(ROOTFS) >/dev/null
	.ci/rings

lint:
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

bench:
	@.ci/provision build engine test bench
	cargo build --locked --release
	@target/release/mailctl image build --quiet $(ROOTFS) >/dev/null
	@rm -f target/bench.txt
	cargo bench --locked
	@echo; cat target/bench.txt

# Rewrites the golden files from what the program does now; read the difference before you commit it.
bless: build
	MAILCTL_BLESS=1 cargo test --locked --test render --test cli

install:
	@.ci/provision build
	cargo build --locked --release
	@$(MAKE) --no-print-directory place

# What `install` puts where; packages set DESTDIR. `mailctl boot enable` then has systemd start the stack at boot.
BINARY ?= target/release/mailctl
UNITS = $(PREFIX)/lib/systemd/system

place:
	install -D -m 0755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/mailctl
	install -d $(DESTDIR)$(UNITS)
	$(BINARY) boot units --program $(PREFIX)/bin/mailctl --into $(DESTDIR)$(UNITS)
	$(BINARY) man | install -D -m 0644 /dev/stdin $(DESTDIR)$(PREFIX)/share/man/man1/mailctl.1
	$(BINARY) completions bash | install -D -m 0644 /dev/stdin $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mailctl
	$(BINARY) completions zsh | install -D -m 0644 /dev/stdin $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_mailctl
	$(BINARY) completions fish | install -D -m 0644 /dev/stdin $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/mailctl.fish

# The stack, its settings and its mail stay; only what starts it at boot goes with the program.
uninstall:
	@if [ -z "$(DESTDIR)" ] && [ -d /run/systemd/system ] && [ -x $(PREFIX)/bin/mailctl ]; then $(PREFIX)/bin/mailctl boot disable; fi
	rm -f $(DESTDIR)$(PREFIX)/bin/mailctl $(DESTDIR)$(UNITS)/mailctl.service
	rm -f $(DESTDIR)$(UNITS)/mailctl-maintain.service $(DESTDIR)$(UNITS)/mailctl-maintain.timer
	rm -f $(DESTDIR)$(PREFIX)/share/man/man1/mailctl.1 $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mailctl
	rm -f $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_mailctl $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/mailctl.fish
