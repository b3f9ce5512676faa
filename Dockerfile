# An image with talosmith and git, which it runs to find changes. Mount the repository at its working folder:
#
#     docker run --rm --volume "$PWD:/repository" --user "$(id -u):$(id -g)" talosmith check
FROM rust:1.89-alpine AS build
RUN apk add --no-cache musl-dev
COPY . /source
WORKDIR /source
RUN cargo build --locked --profile dist && install -D target/dist/talosmith /out/talosmith

FROM alpine:3.22
# The repository belongs to another user than the one of the container, which git refuses without this.
RUN apk add --no-cache git && git config --system --add safe.directory /repository
COPY --from=build /out/talosmith /usr/local/bin/talosmith
WORKDIR /repository
ENTRYPOINT ["talosmith"]
