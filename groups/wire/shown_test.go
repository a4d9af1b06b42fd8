package wire_test

import (
	"encoding/hex"
	"reflect"
	"strings"
)

// shown turns a value into what JSON shows well: byte strings in hex, fields
// under their names.
func shown(v any) any { return show(reflect.ValueOf(v)) }

func show(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return show(v.Elem())
	case reflect.Struct:
		return showStruct(v)
	case reflect.Slice, reflect.Array:
		return showList(v)
	default:
		return v.Interface()
	}
}

func showStruct(v reflect.Value) any {
	m := map[string]any{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch {
		case !f.IsExported():
		case f.Anonymous:
			inner, _ := show(v.Field(i)).(map[string]any)
			for name, value := range inner {
				m[name] = value
			}
		default:
			m[strings.ToLower(f.Name[:1])+f.Name[1:]] = show(v.Field(i))
		}
	}
	return m
}

func showList(v reflect.Value) any {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		if v.Kind() == reflect.Slice && v.IsNil() {
			return nil
		}
		b := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(b), v)
		return hex.EncodeToString(b)
	}
	list := make([]any, v.Len())
	for i := range list {
		list[i] = show(v.Index(i))
	}
	return list
}
