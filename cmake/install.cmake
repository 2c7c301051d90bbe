# Installed paths: filled by the packaging rules below.
include(GNUInstallDirs)
