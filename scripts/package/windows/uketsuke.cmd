@echo off
"%~dp0node.exe" --disable-warning=ExperimentalWarning "%~dp0src\main.ts" %*
