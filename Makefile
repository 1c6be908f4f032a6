# The environment is made once and again when pyproject.toml changes.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
MARKS ?= not nightly and not slow
# Where this is set, every start of the tool in a fresh checkout would compile it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint types format nightly real real-programs server-definitions drill helm bench docs schema lock linters istiod istio-definitions gateway-definitions github-definitions github-page gitlab-client gitlab-ci pictures clean

demo: $(VENV)/.installed ## the whole pipeline in a temporary repository
	@$(BIN)/release demo

test: $(VENV)/.installed-dev ## all tests that fit into five minutes on two cores
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal --ignore tests/real -m "$(MARKS)" $(ARGS)

nightly: $(VENV)/.installed-dev ## the long ones too
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal --ignore tests/real $(ARGS)

real: $(VENV)/.installed-dev real-programs helm istio-definitions gateway-definitions ## the tests against real systems: Kubernetes, Argo CD, Flux, Gitea
	@PATH="$(CURDIR)/.cache/bin:$$PATH" $(BIN)/python -m pytest -q -n 0 tests/real $(ARGS)

real-programs: $(VENV)/.installed-dev ## these systems, built into .cache/real once for each version: an hour on two cores (it needs Go)
	@$(BIN)/python tests/real/real_programs.py

DRILL := kube-apiserver kube-controller-manager kubectl argocd gitea gitea-runner
drill: $(VENV)/.installed-dev helm istio-definitions gateway-definitions ## a default turns bad in a whole cluster, with its time line; WINDOW=60 (it needs Go)
	@$(BIN)/python tests/real/real_programs.py $(DRILL)
	@PATH="$(CURDIR)/.cache/bin:$$PATH" $(BIN)/python -m pytest -q -s -n 0 tests/real/test_whole_drill.py

server-definitions: $(VENV)/.installed-dev real-programs istio-definitions gateway-definitions ## what `release check` knows of Kubernetes, from a real API server
	@$(BIN)/python tests/real/record_definitions.py

helm: .cache/bin/helm .cache/bin/helm3 ## Helm programs of both major versions, in .cache/bin (it needs Go)

.cache/bin/helm:
	@GOBIN="$(CURDIR)/.cache/bin" go install -ldflags='-s -w' helm.sh/helm/v4/cmd/helm@v4.2.3

# It takes the version of Kubernetes that it knows from the build, as its own Makefile gives it.
HELM_KUBERNETES := helm.sh/helm/v3/pkg/chartutil.k8sVersion
.cache/bin/helm3:
	@GOBIN="$(CURDIR)/.cache/helm3" go install -ldflags='-s -w -X $(HELM_KUBERNETES)Major=1 -X $(HELM_KUBERNETES)Minor=37' helm.sh/helm/v3/cmd/helm@v3.22.0
	@mkdir -p .cache/bin && mv .cache/helm3/helm $@

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(VENV)/.installed-dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(VENV)/.installed-dev
	@$(BIN)/mypy

bench: $(VENV)/.installed-dev ## ratios, measured side by side in one run
	@$(BIN)/python -m benchmarks $(ARGS)

docs: $(VENV)/.installed-dev ## the site of the documentation, in .cache/site; what links nowhere is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

schema: $(VENV)/.installed-dev ## release.schema.json and the pages of docs/reference that are made from the code
	@$(BIN)/python -m documentation.made

# What action.yml installs. One resolution for all, so that files for two extras never ask for two versions of one thing.
# Hashes of every file of a version: one lock serves all platforms and every Python from 3.10 on. Nothing younger than a
# week: most bad releases are found and withdrawn before. The embedded engine has a lock of its own, and the override takes
# it out of the others: with a `helm` program nobody needs it.
EXTRAS := grpc kubernetes promql
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --exclude-newer "7 days" \
  --custom-compile-command "make lock"
SLIM = --constraints .cache/all.txt --overrides .cache/slim.txt --no-annotate
lock: $(VENV)/.installed-dev ## requirements/, what the action installs, with the newest versions that pyproject.toml allows
	@$(BIN)/python -m pip install --quiet --group lock
	@rm -rf requirements && mkdir requirements && mkdir -p .cache
	@sed -n 's/^  "\(helm-python-sdk.*\)",$$/\1/p' pyproject.toml > .cache/embedded.in
	@echo 'helm-python-sdk; python_version < "3"' > .cache/slim.txt
	@$(COMPILE) pyproject.toml --all-extras --output-file .cache/all.txt
	@$(COMPILE) .cache/embedded.in --constraints .cache/all.txt --no-annotate --output-file requirements/embedded.txt
	@$(COMPILE) pyproject.toml $(SLIM) --output-file requirements/tool.txt
	@$(COMPILE) --group distribution --output-file distribution/requirements.txt
	@for extra in $(EXTRAS); do \
	  $(COMPILE) pyproject.toml --extra $$extra $(SLIM) --output-file requirements/$$extra.txt || exit 1; \
	done

# `editable_mode=compat` is a plain path entry: the default imports a finder into every start of Python. setuptools warns
# that it may go one day; that is not what a newcomer should read first.
$(VENV)/.installed: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1' 'setuptools>=77'
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --editable . --config-settings editable_mode=compat
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --group dev
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

istiod: $(VENV)/.installed-dev istio-definitions ## the golden files of istiod's own answers, made again (it needs Go)
	@$(BIN)/python tests/routing/istiod/record.py

istio-definitions: .cache/istio-definitions.yaml ## the schemas of Istio's objects, for the tests (it needs Go)

.cache/istio-definitions.yaml:
	@mkdir -p .cache
	@cd / && go mod download istio.io/api@v1.31.4
	@cp "$$(go env GOMODCACHE)/istio.io/api@v1.31.4/kubernetes/customresourcedefinitions.gen.yaml" $@
	@chmod u+w $@

gateway-definitions: .cache/gateway-definitions.yaml ## the same for the objects of the Gateway API

.cache/gateway-definitions.yaml:
	@mkdir -p .cache
	@cd / && go mod download sigs.k8s.io/gateway-api@v1.6.3
	@for kind in gateways grpcroutes httproutes; do echo ---; \
	  cat "$$(go env GOMODCACHE)/sigs.k8s.io/gateway-api@v1.6.3/config/crd/standard/gateway.networking.k8s.io_$$kind.yaml"; \
	done > $@.part
	@mv $@.part $@

github-definitions: .cache/github/openapi.json .cache/github/schema.graphql ## GitHub's descriptions of its APIs, for the tests (it needs npm)

# The packages hold a description for each edition of GitHub, 400 MB unpacked: only what is wanted is taken out.
.cache/github/openapi.json:
	@mkdir -p .cache/github
	@cd .cache/github && npm pack --silent @octokit/openapi@23.0.2 > /dev/null
	@tar -xzOf .cache/github/octokit-openapi-23.0.2.tgz package/generated/api.github.com.json > $@.part
	@mv $@.part $@
	@rm .cache/github/octokit-openapi-23.0.2.tgz

.cache/github/schema.graphql:
	@mkdir -p .cache/github
	@cd .cache/github && npm pack --silent @octokit/graphql-schema@15.26.1 > /dev/null
	@tar -xzOf .cache/github/octokit-graphql-schema-15.26.1.tgz package/schema.graphql > $@.part
	@mv $@.part $@
	@rm .cache/github/octokit-graphql-schema-15.26.1.tgz

gitlab-client: .cache/gitlab/node_modules/@gitbeaker/rest ## a client that tries the stand-in of GitLab (it needs npm)

.cache/gitlab/node_modules/@gitbeaker/rest:
	@mkdir -p .cache/gitlab
	@npm install --silent --no-fund --no-audit --prefix .cache/gitlab @gitbeaker/rest@43.8.0

github-page: .cache/github-page/mermaid.min.js ## what tests show a page with as GitHub does: style, icons, Mermaid (it needs npm)

.cache/github-page/mermaid.min.js:
	@mkdir -p .cache/github-page
	@cd .cache/github-page && npm pack --silent github-markdown-css@5.9.0 @primer/octicons@19.42.0 mermaid@11.17.2 > /dev/null
	@cd .cache/github-page && tar -xzf github-markdown-css-5.9.0.tgz --strip-components=1 package/github-markdown-light.css package/github-markdown-dark.css
	@cd .cache/github-page && tar -xzf primer-octicons-19.42.0.tgz --strip-components=3 package/build/svg/alert-16.svg
	@cd .cache/github-page && tar -xzf mermaid-11.17.2.tgz --strip-components=2 package/dist/mermaid.min.js
	@touch $@ && rm .cache/github-page/*.tgz

linters: .cache/npm/node_modules/.bin/dockerfilelint ## two linters of the Containerfile, for the tests (they need npm)

.cache/npm/node_modules/.bin/dockerfilelint:
	@mkdir -p .cache/npm
	@npm install --silent --no-fund --no-audit --prefix .cache/npm dockerfile-utils@0.16.3 dockerfilelint@1.8.0

gitlab-ci: .cache/npm/node_modules/.bin/gitlab-ci-local ## what runs the components of GitLab in the tests (it needs npm and Node 20)

.cache/npm/node_modules/.bin/gitlab-ci-local:
	@mkdir -p .cache/npm
	@npm install --silent --no-fund --no-audit --prefix .cache/npm gitlab-ci-local@4.70.1

pictures: $(VENV)/.installed-dev github-page ## docs/images, the pictures of the README (it needs npm and Debian's chromium)
	@$(BIN)/python -m pip install --quiet --group pictures
	@$(BIN)/python tests/support/pictures.py
