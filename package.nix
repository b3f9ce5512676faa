# Builds talosmith from this source. The version is the workspace's in Cargo.toml.
{
  lib,
  rustPlatform,
  installShellFiles,
}:
let
  workspace = (lib.importTOML ./Cargo.toml).workspace.package;
in
rustPlatform.buildRustPackage {
  pname = "talosmith";
  inherit (workspace) version;
  src = lib.cleanSource ./.;
  cargoLock.lockFile = ./Cargo.lock;
  buildType = "dist";
  nativeBuildInputs = [ installShellFiles ];
  # The tests need programs that the build has not: .ci/run has them.
  doCheck = false;
  postInstall = ''
    for shell in bash fish zsh; do
      $out/bin/talosmith completions $shell > talosmith.$shell
    done
    installShellCompletion talosmith.{bash,fish,zsh}
    $out/bin/talosmith man > talosmith.1
    installManPage talosmith.1
  '';
  meta = {
    description = "Config compiler for Git repositories of Talos Linux nodes";
    homepage = workspace.repository;
    license = with lib.licenses; [
      mit
      asl20
    ];
    mainProgram = "talosmith";
  };
}
