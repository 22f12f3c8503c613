# One way to run things; CI calls the same targets.

.PHONY: demo test test-server test-python test-node lint fmt schemas snapshots bench bench-peers bench-bindings bench-instructions \
	bench-instructions-accept bench-lint clean

demo: ## the main job, on real input, in a throw-away store
	cargo build --locked -p al
	sh examples/demo/demo.sh target/debug/al

test: ## every test
	cargo test --workspace --locked
	$(MAKE) test-server
	$(MAKE) test-python
	$(MAKE) test-node

test-server: ## the server against its OpenAPI document, with what schemathesis thinks of
	cargo build --locked -p al
	python3 -m venv server/.venv
	server/.venv/bin/pip install --quiet --disable-pip-version-check -r server/requirements-dev.txt
	sh server/tests/schemathesis/run.sh target/debug/al server/.venv/bin/schemathesis

test-python: ## the Python package, in a virtual environment of its own
	python3 -m venv bindings-python/.venv
	bindings-python/.venv/bin/pip install --quiet --disable-pip-version-check -r bindings-python/requirements-dev.txt
	cd bindings-python && VIRTUAL_ENV="$$PWD/.venv" .venv/bin/maturin develop --quiet --locked --features test-hooks
	cd bindings-python && .venv/bin/python -m pytest

test-node: ## the Node package, built with the hooks of its tests
	cargo build --locked -p al
	cd bindings-node && npm ci --no-audit --no-fund && npm run build:test && npm test

lint: ## what must be clean before anything lands
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy -p lattice-core --all-features --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

fmt: ## lay the code out
	cargo fmt --all

schemas: ## write core/schemas/ and server/openapi.json anew after a change of types
	UPDATE_SCHEMAS=1 cargo test --quiet -p lattice-core --test schemas
	UPDATE_SCHEMAS=1 cargo test --quiet -p lattice-server --test openapi

snapshots: ## accept what `al` now prints; look at the diff
	INSTA_UPDATE=always cargo test --quiet -p al

# The suite is a workspace of its own, with a lockfile that follows those of the crates it measures.
BENCH = cd benches && cargo run --quiet --release

bench: ## our figures beside the lower bounds, on the terminal
	cargo build --release --locked -p al
	$(BENCH)

bench-peers: ## the same beside the peers, written to docs/performance.md
	cargo build --release --locked -p al
	$(BENCH) --features peers -- --write ../docs/performance.md

bench-bindings: ## rows of Python and Node, which the next `bench` or `bench-peers` shows
	$(BENCH) -- bindings target/inputs
	python3 -m venv bindings-python/.venv
	bindings-python/.venv/bin/pip install --quiet --disable-pip-version-check -r bindings-python/requirements-dev.txt
	cd bindings-python && VIRTUAL_ENV="$$PWD/.venv" .venv/bin/maturin develop --quiet --locked --release
	bindings-python/.venv/bin/python benches/python.py benches/target/inputs benches/target/rows
	cd bindings-node && npm ci --no-audit --no-fund && npm run build
	node benches/node.mjs benches/target/inputs benches/target/rows

bench-instructions: ## instruction counts of fixed jobs against those that are checked in; needs valgrind
	$(BENCH) -- instructions

bench-instructions-accept: ## check in what is counted now
	$(BENCH) -- instructions --accept

bench-lint: ## as `lint`, for the suite with its peers
	cd benches && cargo fmt --check && cargo clippy --all-targets --all-features -- -D warnings

clean:
	cargo clean
