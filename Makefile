# What a person types. Each target installs what it needs (scripts/packages.sh).
.PHONY: all build unit test lint doc demo bench packages deb deb-test

all: build

build:
	@scripts/packages.sh build
	cargo build --release --locked

# The unit tests alone, in about a minute: no realm, no clients, no servers.
unit:
	@scripts/packages.sh unit
	@scripts/test.sh --lib

test:
	@scripts/packages.sh test
	@scripts/test.sh

lint:
	@scripts/packages.sh lint
	@scripts/lint.sh

doc:
	@scripts/packages.sh doc
	cargo doc --no-deps --locked

demo:
	@scripts/packages.sh demo
	@demo/run.sh

bench:
	@scripts/packages.sh bench
	@bench/run.sh

# target/doorward_VERSION_ARCHITECTURE.deb
deb:
	@scripts/packages.sh deb
	@scripts/deb.sh

# Installs, runs, upgrades, removes and purges that package, in roots of its own.
deb-test: deb
	@scripts/packages.sh deb-test
	@for package in target/doorward_*.deb; do \
		for test in deb systemd readme; do tests/packaging/$$test.sh $$package || exit; done; done

packages:
	@scripts/packages.sh test
	@scripts/packages.sh bench
	@scripts/packages.sh lint
