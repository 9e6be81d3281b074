# What a person types. Each target installs what it needs (scripts/packages.sh).
.PHONY: all build test lint doc demo bench packages

all: build

build:
	@scripts/packages.sh build
	cargo build --release --locked

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

packages:
	@scripts/packages.sh test
	@scripts/packages.sh bench
	@scripts/packages.sh lint
