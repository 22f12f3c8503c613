# One way to run things; CI calls the same targets.

.PHONY: demo test test-python test-node lint fmt schemas snapshots clean

demo: ## the main job, on real input, in a throw-away store
	cargo build --locked -p al
	sh examples/demo/demo.sh target/debug/al

test: ## every test
	cargo test --workspace --locked
	$(MAKE) test-python
	$(MAKE) test-node

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
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

fmt: ## lay the code out
	cargo fmt --all

schemas: ## write core/schemas/ anew after a change of types
	UPDATE_SCHEMAS=1 cargo test --quiet -p lattice-core --test schemas

snapshots: ## accept what `al` now prints; look at the diff
	INSTA_UPDATE=always cargo test --quiet -p al

clean:
	cargo clean
