# Two images:
#   docker build -t fovea .                    CUDA 13 and cuDNN 9; docker run --gpus all
#   docker build -t fovea:cpu --target cpu .   Debian 12, no GPU
# Both run as user 1000 with fovea as entry point:
#   docker run --rm -v "$PWD:/pictures:ro" fovea:cpu classify lenet5 /pictures
# The root file system may be read-only if /var/lib/fovea is a volume.
ARG CUDA=13.0.1

# ---- builders: compile, then list the packages that own the shared libraries of what was built
FROM debian:12 AS build-cpu
WORKDIR /src
COPY cmake/install-deps.sh cmake/
RUN cmake/install-deps.sh
COPY . .
RUN cmake --preset release && cmake --build --preset release --target fovea_program \
 && mkdir program && cp -r build/release/bin build/release/lib program/ \
 && find program -type f -exec strip {} + && cmake/runtime-packages.sh program > runtime-packages

FROM nvidia/cuda:${CUDA}-cudnn-devel-ubuntu24.04 AS build-cuda
WORKDIR /src
COPY cmake/install-deps.sh cmake/
RUN cmake/install-deps.sh
COPY . .
RUN cmake --preset release -D FOVEA_ENABLE_CUDA=ON -D CMAKE_CUDA_ARCHITECTURES="80;90" \
 && cmake --build --preset release --target fovea_program \
 && mkdir program && cp -r build/release/bin build/release/lib program/ \
 && find program -type f -exec strip {} + && cmake/runtime-packages.sh program > runtime-packages

# ---- images: only what runs
FROM debian:12-slim AS cpu
RUN --mount=type=bind,from=build-cpu,source=/src/runtime-packages,target=/tmp/runtime-packages \
    apt-get update -qq \
 && xargs -a /tmp/runtime-packages apt-get install -y -qq --no-install-recommends ca-certificates graphviz \
 && rm -rf /var/lib/apt/lists/* && install -d -o 1000 -g 1000 /var/lib/fovea
COPY --from=build-cpu /src/program/ /opt/fovea/
COPY LICENSE /opt/fovea/
ENV PATH=/opt/fovea/bin:$PATH FOVEA_HOME=/var/lib/fovea
USER 1000:1000
ENTRYPOINT ["fovea"]

FROM nvidia/cuda:${CUDA}-cudnn-runtime-ubuntu24.04 AS runtime
RUN --mount=type=bind,from=build-cuda,source=/src/runtime-packages,target=/tmp/runtime-packages \
    apt-get update -qq \
 && xargs -a /tmp/runtime-packages apt-get install -y -qq --no-install-recommends ca-certificates graphviz \
 && rm -rf /var/lib/apt/lists/* && install -d -o 1000 -g 1000 /var/lib/fovea
COPY --from=build-cuda /src/program/ /opt/fovea/
COPY LICENSE /opt/fovea/
ENV PATH=/opt/fovea/bin:$PATH FOVEA_HOME=/var/lib/fovea
USER 1000:1000
# The entry point of the base image prints a banner on stdout, which belongs to our output.
ENTRYPOINT ["fovea"]
